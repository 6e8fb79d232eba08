"""Models that write text: summaries, translations, answers, continuations and conversations."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .text import BYTE_SPECIAL, HIDDEN, LONG, POSITIONS, STORY, byte_tokenizer
from .tiny_model import TinyModel
from .vocabulary import CORPUS, byte_pairs, single_bytes, spaced_pairs, unigram_pieces
from .weights import save, spread, varied

ENCODER_DECODER = {
    "d_model": HIDDEN, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
    "max_position_embeddings": POSITIONS, "init_std": 0.3,
}  # fmt: skip
# The norm after the last layer of the models that have no norm of their own at the end.
LAST_NORM = "model.decoder.layers.1.final_layer_norm.weight"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
LANGUAGES = ["eng_Latn", "deu_Latn", "fra_Latn"]


def bart(folder: Path, seed: int) -> None:
    """A BART that summarises; its generation config asks for two beams, as the published ones do for four."""
    import transformers

    tokenizer = byte_tokenizer("BartTokenizerFast")
    settings = transformers.BartConfig(vocab_size=len(tokenizer), forced_eos_token_id=2, **ENCODER_DECODER)

    def build() -> Any:
        model = varied(
            transformers.BartForConditionalGeneration(settings),
            LAST_NORM,
            rare=single_bytes(len(BYTE_SPECIAL)),
        )
        model.generation_config.update(
            num_beams=2, max_length=24, min_length=6, length_penalty=2.0, early_stopping=True,
            no_repeat_ngram_size=3,
        )  # fmt: skip
        return model

    save(folder, seed, build, tokenizer)


def t5(folder: Path, seed: int, **config: Any) -> None:
    """A T5 with 20 sentinel tokens."""
    import transformers

    pieces = [
        *unigram_pieces(["<pad>", "</s>", "<unk>"]),
        *((f"<extra_id_{n}>", 0.0) for n in range(19, -1, -1)),
    ]
    tokenizer = transformers.T5TokenizerFast(vocab=pieces, extra_ids=20, model_max_length=POSITIONS)
    save(folder, seed, lambda: t5_model(len(tokenizer), **config), tokenizer)


def t5_model(vocabulary: int, **config: Any) -> Any:
    """The model alone, for a vocabulary of that size."""
    import transformers

    settings = transformers.T5Config(
        vocab_size=vocabulary, d_model=HIDDEN, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1, initializer_factor=1.0, **config,
    )  # fmt: skip
    model = transformers.T5ForConditionalGeneration(settings)
    return varied(model, "decoder.final_layer_norm.weight", by=2.0)


def t5_translation(folder: Path, seed: int) -> None:
    """A T5 whose config holds the prompt of each pair of languages, as the published T5 have it."""
    tasks = {
        f"translation_en_to_{short}": {
            "prefix": f"translate English to {name}: ",
            "max_length": 30,
            "num_beams": 2,
        }
        for short, name in [("de", "German"), ("fr", "French")]
    }
    t5(folder, seed, task_specific_params=tasks)


def nllb(folder: Path, seed: int) -> None:
    """A many-to-many translator: the tokenizer marks the source, generation starts with the target."""
    import transformers

    vocabulary, merges = spaced_pairs(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer = transformers.NllbTokenizerFast(
        vocab=vocabulary, merges=merges, extra_special_tokens=LANGUAGES, src_lang="eng_Latn",
        tgt_lang="deu_Latn", model_max_length=POSITIONS,
    )  # fmt: skip
    settings = transformers.M2M100Config(vocab_size=len(tokenizer), **ENCODER_DECODER)
    kind = transformers.M2M100ForConditionalGeneration
    save(folder, seed, lambda: varied(kind(settings), "model.decoder.layer_norm.weight"), tokenizer)


def trained_pieces(file: Path, **numbers: Any) -> Any:
    """Write a sentencepiece model of the corpus, and return it; `numbers` are of its special pieces."""
    import sentencepiece

    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as model:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS.splitlines()), model_writer=model, vocab_size=300,
            hard_vocab_limit=False, num_threads=1, minloglevel=2, normalization_rule_name="identity",
            **numbers,
        )  # fmt: skip
    return sentencepiece.SentencePieceProcessor(model_file=str(file))


def t5_pieces(folder: Path, seed: int) -> None:
    """A T5 as its authors published it: `spiece.model`, and no `tokenizer.json`."""
    words = trained_pieces(folder / "spiece.model", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    about = {"tokenizer_class": "T5Tokenizer", "extra_ids": 20, "model_max_length": POSITIONS}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    save(folder, seed, lambda: t5_model(words.get_piece_size() + 20))


def marian(folder: Path, seed: int) -> None:
    """A translator of one pair of languages, with sentencepiece models of its own."""
    import transformers

    trained_pieces(folder / "target.spm")
    pieces = trained_pieces(folder / "source.spm")
    words = [pieces.id_to_piece(number) for number in range(3, pieces.get_piece_size())]
    vocabulary = {piece: number for number, piece in enumerate(["</s>", "<unk>", *words, "<pad>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")
        tokenizer = transformers.MarianTokenizer(
            source_spm=str(folder / "source.spm"), target_spm=str(folder / "target.spm"),
            vocab=str(folder / "vocab.json"), source_lang="en", target_lang="de", model_max_length=POSITIONS,
        )  # fmt: skip
    padding = vocabulary["<pad>"]
    settings = transformers.MarianConfig(
        vocab_size=len(vocabulary), pad_token_id=padding, decoder_start_token_id=padding, eos_token_id=0,
        forced_eos_token_id=0, **ENCODER_DECODER,
    )  # fmt: skip

    def build() -> Any:
        model = varied(transformers.MarianMTModel(settings), LAST_NORM)
        model.generation_config.update(bad_words_ids=[[padding]], max_length=24, num_beams=2)
        return model

    save(folder, seed, build, tokenizer)


def llama(folder: Path, seed: int) -> None:
    """A Llama with a chat template; it can see 256 tokens."""
    import transformers

    roles = [f"<|{role}|>" for role in ["system", "user", "assistant"]]
    vocabulary, merges = spaced_pairs(["<unk>", "<s>", "</s>", *roles])
    tokenizer = transformers.LlamaTokenizerFast(
        vocab=vocabulary, merges=merges, pad_token="</s>", extra_special_tokens=roles,  # noqa: S106 (a token of text)
        model_max_length=2 * POSITIONS, chat_template=CHAT_TEMPLATE,
    )  # fmt: skip
    settings = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=2 * POSITIONS,
        initializer_range=0.3, bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    kind = transformers.LlamaForCausalLM
    save(
        folder, seed, lambda: varied(spread(kind(settings), "lm_head.weight"), "model.norm.weight"), tokenizer
    )


def gpt2(folder: Path, seed: int) -> None:
    """A GPT-2: no padding token, no chat template, 128 positions."""
    import transformers

    vocabulary, merges = byte_pairs(["<|endoftext|>"])
    tokenizer = transformers.GPT2TokenizerFast(vocab=vocabulary, merges=merges, model_max_length=POSITIONS)
    settings = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=POSITIONS, n_embd=HIDDEN, n_layer=2, n_head=2,
        bos_token_id=0, eos_token_id=0, initializer_range=0.3,
    )  # fmt: skip
    kind = transformers.GPT2LMHeadModel
    save(
        folder,
        seed,
        lambda: varied(kind(settings), "transformer.ln_f.weight", rare=single_bytes(1)),
        tokenizer,
    )


PROMPTS = ["Once upon a time there was a king", "The train", "Who founded the company? The company"]
CHAT = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Tell me a story about a dragon."},
]
SENTENCES = ["The house is small.", "The train arrives at nine, and it leaves at ten.", "Hello, how are you?"]


def _sequence_to_sequence(
    task: str, build: Callable[[Path, int], None], *more: Any, **fields: Any
) -> TinyModel:
    return TinyModel(task, "AutoModelForSeq2SeqLM", build, [*SENTENCES, *more], **fields)


MODELS = {
    "summarization": _sequence_to_sequence("summarization", bart, STORY, LONG),
    "translation": _sequence_to_sequence("translation_en_to_de", t5_translation),
    "translation-nllb": _sequence_to_sequence(
        "translation", nllb, parameters={"src_lang": "eng_Latn", "tgt_lang": "fra_Latn"}
    ),
    "translation-marian": _sequence_to_sequence("translation", marian, packages=("sentencepiece",)),
    "text2text-generation": _sequence_to_sequence("text2text-generation", t5, LONG),
    "text2text-generation-pieces": _sequence_to_sequence(
        "text2text-generation", t5_pieces, packages=("sentencepiece",)
    ),
    "text-generation": TinyModel(
        "text-generation",
        "AutoModelForCausalLM",
        llama,
        [*PROMPTS, {"messages": CHAT}, {"messages": CHAT[1:]}],
    ),
    "text-generation-gpt2": TinyModel("text-generation", "AutoModelForCausalLM", gpt2, PROMPTS),
}
