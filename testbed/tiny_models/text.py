"""Encoders: classification, tokens, answers in a context, masks, vectors, ranking, tables."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from .tiny_model import TinyModel
from .vocabulary import byte_pairs, word_pieces
from .weights import save, spread

BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BYTE_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
POSITIONS = 128
HIDDEN = 32
SHAPE = {
    "hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "initializer_range": 0.3,
}  # fmt: skip
HEADS = {
    "SequenceClassification": ["classifier.weight"],
    "TokenClassification": ["classifier.weight"],
    "QuestionAnswering": ["qa_outputs.weight"],
}
SENTIMENT = ["NEGATIVE", "NEUTRAL", "POSITIVE"]
TOPICS = ["sports", "politics", "science", "business", "music"]
ENTITIES = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
INFERENCE = ["contradiction", "neutral", "entailment"]


def labels(names: list[str]) -> dict[str, Any]:
    """The label maps of a configuration."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: n for n, name in enumerate(names)}}


def bert_tokenizer(**options: Any) -> Any:
    from transformers import BertTokenizerFast

    settings = {"model_max_length": POSITIONS, **options}
    return BertTokenizerFast(vocab=word_pieces(BERT_SPECIAL), **settings)


def byte_tokenizer(kind: str = "RobertaTokenizerFast", **options: Any) -> Any:
    import transformers

    vocabulary, merges = byte_pairs(BYTE_SPECIAL)
    settings = {"model_max_length": POSITIONS, **options}
    return getattr(transformers, kind)(vocab=vocabulary, merges=merges, **settings)


def bert(head: str, folder: Path, seed: int, **config: Any) -> None:
    """A BERT with one of its heads, or without."""
    import transformers

    tokenizer = bert_tokenizer()
    settings = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=POSITIONS, pad_token_id=0, **SHAPE, **config
    )

    kind = getattr(transformers, f"BertFor{head}" if head else "BertModel")
    save(folder, seed, lambda: spread(kind(settings), *HEADS.get(head, [])), tokenizer)


def roberta(head: str, folder: Path, seed: int, **config: Any) -> None:
    """A RoBERTa with one of its heads; its positions start after the padding's."""
    import transformers

    tokenizer = byte_tokenizer(add_prefix_space=head == "TokenClassification")
    settings = transformers.RobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=POSITIONS + 2, type_vocab_size=1,
        pad_token_id=1, bos_token_id=0, eos_token_id=2, **SHAPE, **config,
    )  # fmt: skip
    kind = getattr(transformers, f"RobertaFor{head}")
    heads = ["classifier.out_proj.weight"] if head == "SequenceClassification" else HEADS.get(head, [])
    save(folder, seed, lambda: spread(kind(settings), *heads), tokenizer)


def bart_inference(folder: Path, seed: int) -> None:
    """The kind of model most used for zero-shot classification: BART trained on entailment."""
    import transformers

    tokenizer = byte_tokenizer("BartTokenizerFast")
    settings = transformers.BartConfig(
        vocab_size=len(tokenizer), d_model=HIDDEN, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        max_position_embeddings=POSITIONS, init_std=0.3, **labels(INFERENCE),
    )  # fmt: skip
    kind = transformers.BartForSequenceClassification
    save(folder, seed, lambda: spread(kind(settings), "classification_head.out_proj.weight"), tokenizer)


def sentence_transformer(folder: Path, seed: int, dense: bool = False, prompts: bool = False) -> None:
    """A sentence-transformers folder: mean pooling, optionally a dense layer, unit length."""
    import torch
    from safetensors.torch import save_file

    bert("", folder, seed)
    kinds = ["Transformer", "Pooling", *(["Dense"] if dense else []), "Normalize"]
    modules = [
        {
            "idx": number,
            "name": str(number),
            "path": f"{number}_{kind}" if number else "",
            "type": f"sentence_transformers.models.{kind}",
        }
        for number, kind in enumerate(kinds)
    ]
    _write(folder / "modules.json", modules)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    _write(
        folder / "config_sentence_transformers.json",
        {
            "prompts": {"query": "question : ", "passage": "context : "} if prompts else {},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    pooling = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": HIDDEN, **pooling})
    if dense:
        shape = {"in_features": HIDDEN, "out_features": 16, "bias": True}
        _write(
            folder / "2_Dense" / "config.json",
            {**shape, "activation_function": "torch.nn.modules.activation.Tanh"},
        )
        numbers = torch.Generator().manual_seed(seed)
        weights = {
            "linear.weight": torch.randn(16, HIDDEN, generator=numbers) * 0.2,
            "linear.bias": torch.randn(16, generator=numbers) * 0.2,
        }
        save_file(weights, folder / "2_Dense" / "model.safetensors")


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2))


def tapas(folder: Path, seed: int) -> None:
    """TAPAS with cell selection and the four aggregations of WikiTableQuestions."""
    import transformers

    # [EMPTY] stands for an empty cell.
    vocabulary = folder / "vocab.txt"
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary.write_text("\n".join(word_pieces([*BERT_SPECIAL, "[EMPTY]"])) + "\n")
    tokenizer = transformers.TapasTokenizer(str(vocabulary), model_max_length=POSITIONS)
    settings = transformers.TapasConfig(
        vocab_size=len(tokenizer), max_position_embeddings=POSITIONS, pad_token_id=0,
        type_vocab_sizes=[3, 16, 16, 2, 16, 16, 10], num_aggregation_labels=4,
        aggregation_labels={0: "NONE", 1: "SUM", 2: "AVERAGE", 3: "COUNT"},
        cell_selection_preference=0.2, **SHAPE,
    )  # fmt: skip

    def build() -> Any:
        model = spread(transformers.TapasForQuestionAnswering(settings), "output_weights")
        model.output_bias.data.fill_(4.0)  # a cell answers when its probability is above one half
        return model

    save(folder, seed, build, tokenizer)


TEXTS = [
    "The movie was good and the music was great!",
    "A bad, slow film.",
    "The train to Vienna leaves at nine, and it arrives at noon. We hope that the weather will be fine.",
    "plot",
]
LONG = " ".join(["The city has two million people, four parks and seven museums."] * 15)
PAIRS = [
    {"text": "A man is eating food.", "text_pair": "A woman is playing the violin."},
    {"text": "The house is small.", "text_pair": "The house is small and old."},
]
NAMES = [
    "Anna Keller works for Acme Motors in Berlin.",
    "John Smith moved from Paris to London in 1998.",
    "Rome",
    "The company Acme Motors was founded in Zurich by Maria Rossi, who lives in Rome today.",
]
STORY = (
    "Anna Keller works for Acme Motors in Berlin. The company was founded in Zurich by Maria Rossi, "
    "who lives in Rome today. The river Rhine flows through Basel, Cologne and Rotterdam before it "
    "reaches the North Sea."
)
QUESTIONS = [
    {"question": "Who founded the company?", "context": STORY},
    {"question": "Where does the river end?", "context": "The river Rhine reaches the North Sea."},
    {"question": "When does the train arrive?", "context": "Hello. The train arrives at noon. " * 20},
]
RANKED = [
    {"query": "Where does the river end?", "texts": ["The river reaches the sea.", "Anna is fine.", "cats"]},
    {"query": "who is kind", "texts": ["The youngest was kind, but the oldest was not."]},
]
SIMILAR = [
    {
        "source_sentence": "A man is eating food.",
        "sentences": ["A woman is playing the violin.", "A man is eating food.", "The stock market fell."],
    },
    {"source_sentence": "cats", "sentences": ["The cat sleeps."]},
]
TABLE = {
    "name": ["Anna", "John", "Maria"],
    "city": ["Berlin", "London", "Rome"],
    "price": ["10", "20", "30"],
}
TABLE_QUESTIONS = [
    {"query": "what is the total price", "table": TABLE},
    {"query": "where does anna live", "table": TABLE},
]

MODELS = {
    "text-classification": TinyModel(
        "text-classification",
        "AutoModelForSequenceClassification",
        partial(bert, "SequenceClassification", **labels(SENTIMENT)),
        [*TEXTS, LONG],
    ),
    "text-classification-multi-label": TinyModel(
        "text-classification",
        "AutoModelForSequenceClassification",
        partial(bert, "SequenceClassification", problem_type="multi_label_classification", **labels(TOPICS)),
        TEXTS,
    ),
    "text-classification-regression": TinyModel(
        "text-classification",
        "AutoModelForSequenceClassification",
        partial(bert, "SequenceClassification", problem_type="regression", num_labels=1),
        TEXTS,
    ),
    "text-classification-pair": TinyModel(
        "text-classification",
        "AutoModelForSequenceClassification",
        partial(roberta, "SequenceClassification", **labels(["not_equivalent", "equivalent"])),
        PAIRS,
    ),
    "token-classification": TinyModel(
        "token-classification",
        "AutoModelForTokenClassification",
        partial(bert, "TokenClassification", **labels(ENTITIES)),
        NAMES,
    ),
    "token-classification-roberta": TinyModel(
        "token-classification",
        "AutoModelForTokenClassification",
        partial(roberta, "TokenClassification", **labels(ENTITIES)),
        NAMES,
    ),
    "question-answering": TinyModel(
        "question-answering",
        "AutoModelForQuestionAnswering",
        partial(bert, "QuestionAnswering"),
        QUESTIONS,
    ),
    "question-answering-roberta": TinyModel(
        "question-answering",
        "AutoModelForQuestionAnswering",
        partial(roberta, "QuestionAnswering"),
        QUESTIONS,
    ),
    "zero-shot-classification": TinyModel(
        "zero-shot-classification",
        "AutoModelForSequenceClassification",
        bart_inference,
        TEXTS[:3],
        {"candidate_labels": ["music", "sports", "travel"]},
    ),
    "zero-shot-classification-bert": TinyModel(
        "zero-shot-classification",
        "AutoModelForSequenceClassification",
        partial(bert, "SequenceClassification", **labels(INFERENCE)),
        TEXTS[:3],
        {"candidate_labels": ["music", "sports", "travel"]},
    ),
    "fill-mask": TinyModel(
        "fill-mask",
        "AutoModelForMaskedLM",
        partial(bert, "MaskedLM"),
        ["Paris is the [MASK] of France.", "The [MASK] leaves at [MASK].", "[MASK]"],
    ),
    "fill-mask-roberta": TinyModel(
        "fill-mask",
        "AutoModelForMaskedLM",
        partial(roberta, "MaskedLM"),
        ["Paris is the <mask> of France.", "The <mask> leaves at nine."],
    ),
    "feature-extraction": TinyModel("feature-extraction", "AutoModel", partial(bert, ""), TEXTS),
    "sentence-embeddings": TinyModel(
        "sentence-embeddings", "AutoModel", partial(sentence_transformer, prompts=True), [*TEXTS, LONG]
    ),
    "sentence-embeddings-dense": TinyModel(
        "sentence-embeddings", "AutoModel", partial(sentence_transformer, dense=True), TEXTS
    ),
    "sentence-similarity": TinyModel("sentence-similarity", "AutoModel", sentence_transformer, SIMILAR),
    "text-ranking": TinyModel(
        "text-ranking",
        "AutoModelForSequenceClassification",
        partial(bert, "SequenceClassification", num_labels=1),
        RANKED,
    ),
    "table-question-answering": TinyModel(
        "table-question-answering",
        "AutoModelForTableQuestionAnswering",
        tapas,
        TABLE_QUESTIONS,
        packages=("pandas",),
    ),
}
