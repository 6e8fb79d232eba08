"""Models of images and text together: answers about a picture or a page, descriptions, conversations."""

from pathlib import Path
from typing import Any

from .media import document, image
from .text import BYTE_SPECIAL, HIDDEN, POSITIONS, SHAPE, bert_tokenizer, byte_tokenizer, labels
from .tiny_model import TinyModel
from .vision import NORMAL, SIDE, SQUARE
from .vocabulary import byte_pairs, single_bytes, spaced_pairs
from .weights import save, spread, varied

TOWER = {"hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
ANSWERS = ["yes", "no", "two", "red", "blue", "a cat"]
LLAVA_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "</s>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def vilt(folder: Path, seed: int) -> None:
    """A ViLT that chooses one of six answers."""
    import transformers

    tokenizer = bert_tokenizer(model_max_length=40)
    settings = transformers.ViltConfig(
        vocab_size=len(tokenizer), max_position_embeddings=40, image_size=64, patch_size=16,
        max_image_length=-1, **SHAPE, **labels(ANSWERS),
    )  # fmt: skip
    pictures = transformers.ViltImageProcessorPil(size={"shortest_edge": 32}, size_divisor=16, **NORMAL)
    kind = transformers.ViltForQuestionAnswering
    processor = transformers.ViltProcessor(pictures, tokenizer)
    save(folder, seed, lambda: spread(kind(settings), "classifier.3.weight"), processor)


def blip(kind: str, folder: Path, seed: int) -> None:
    """A BLIP, which writes its answers and descriptions."""
    import transformers

    # The published ones say so too: their decoder refuses token_type_ids.
    tokenizer = bert_tokenizer(model_input_names=["input_ids", "attention_mask"])
    settings = transformers.BlipConfig(
        text_config={
            "vocab_size": len(tokenizer), "max_position_embeddings": POSITIONS, "bos_token_id": 2,
            "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0, "encoder_hidden_size": HIDDEN,
            "initializer_range": 0.3, **TOWER, "num_hidden_layers": 1,
        },
        vision_config={
            "image_size": SIDE, "patch_size": 8, "initializer_range": 0.3, **TOWER, "num_hidden_layers": 1,
        },
        projection_dim=16, image_text_hidden_size=16,
    )  # fmt: skip
    processor = transformers.BlipProcessor(transformers.BlipImageProcessorPil(size=SQUARE), tokenizer)
    save(folder, seed, lambda: _moving(getattr(transformers, kind)(settings)), processor)


def _moving(model: Any) -> Any:
    """Draw the norm before BLIP's output layer anew: see `varied`."""
    import torch

    decoder = model.text_decoder
    norm = decoder.cls.predictions.transform.LayerNorm.weight
    with torch.no_grad():
        norm.copy_(torch.randn_like(norm) * 3.0)
    model.generation_config.max_length = 12
    return model


def vision_encoder_decoder(folder: Path, seed: int) -> None:
    """A ViT that a GPT-2 puts into words."""
    import transformers

    vocabulary, merges = byte_pairs(["<|endoftext|>"])
    tokenizer = transformers.GPT2TokenizerFast(
        vocab=vocabulary,
        merges=merges,
        pad_token="<|endoftext|>",  # noqa: S106 (a token of text)
        model_max_length=POSITIONS,
    )
    sees = transformers.ViTConfig(image_size=SIDE, patch_size=8, **SHAPE)
    writes = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=POSITIONS, n_embd=HIDDEN, n_layer=2, n_head=2,
        bos_token_id=0, eos_token_id=0, initializer_range=0.3,
    )  # fmt: skip
    settings = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(sees, writes)
    for name, token in [("decoder_start_token_id", 0), ("pad_token_id", 0), ("eos_token_id", 0)]:
        setattr(settings, name, token)
    kind = transformers.VisionEncoderDecoderModel
    processor = transformers.ViTImageProcessorPil(size=SQUARE, **NORMAL)

    def build() -> Any:
        model = varied(kind(settings), "decoder.transformer.ln_f.weight", rare=single_bytes(1))
        model.generation_config.max_length = 16
        return model

    save(folder, seed, build, processor, tokenizer)


def llava(folder: Path, seed: int) -> None:
    """A LLaVA: the picture's 16 patches take the place of `<image>` in a conversation."""
    import transformers

    roles = ["<|system|>", "<|user|>", "<|assistant|>"]
    vocabulary, merges = spaced_pairs(["<unk>", "<s>", "</s>", *roles, "<image>"])
    tokenizer = transformers.LlamaTokenizerFast(
        vocab=vocabulary, merges=merges, pad_token="</s>",  # noqa: S106 (a token of text)
        extra_special_tokens=[*roles, "<image>"],
        model_max_length=2 * POSITIONS, padding_side="left",
    )  # fmt: skip
    settings = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(
            image_size=SIDE, patch_size=8, initializer_factor=4.0, **TOWER
        ),
        text_config=transformers.LlamaConfig(
            vocab_size=len(tokenizer), num_key_value_heads=1, max_position_embeddings=2 * POSITIONS,
            initializer_range=0.3, bos_token_id=1, eos_token_id=2, pad_token_id=2, **TOWER,
        ),
        image_token_index=vocabulary["<image>"], vision_feature_layer=-1, image_seq_length=16,
    )  # fmt: skip
    processor = transformers.LlavaProcessor(
        transformers.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SQUARE), tokenizer,
        patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=LLAVA_TEMPLATE,
    )  # fmt: skip

    def build() -> Any:
        model = transformers.LlavaForConditionalGeneration(settings)
        model.config.eos_token_id = 2
        return varied(spread(model, "lm_head.weight"), "model.language_model.norm.weight")

    save(folder, seed, build, processor)


def layoutlmv3(folder: Path, seed: int) -> None:
    """A LayoutLMv3 that finds the answer among words with boxes; it runs no OCR of its own."""
    import transformers

    vocabulary, merges = byte_pairs(BYTE_SPECIAL)
    tokenizer = transformers.LayoutLMv3TokenizerFast(
        vocab=vocabulary, merges=merges, model_max_length=POSITIONS
    )
    settings = transformers.LayoutLMv3Config(
        vocab_size=len(tokenizer), max_position_embeddings=POSITIONS + 2, max_2d_position_embeddings=1024,
        coordinate_size=5, shape_size=6, input_size=SIDE, patch_size=8, pad_token_id=1, bos_token_id=0,
        eos_token_id=2, rel_pos_bins=8, rel_2d_pos_bins=8, **SHAPE,
    )  # fmt: skip
    pictures = transformers.LayoutLMv3ImageProcessorPil(size=SQUARE, apply_ocr=False)
    processor = transformers.LayoutLMv3Processor(pictures, tokenizer)
    kind = transformers.LayoutLMv3ForQuestionAnswering
    save(folder, seed, lambda: spread(kind(settings), "qa_outputs.out_proj.weight"), processor)


def layoutlm(folder: Path, seed: int) -> None:
    """The first LayoutLM, which reads words and boxes and never sees the page."""
    import transformers

    tokenizer = bert_tokenizer()
    settings = transformers.LayoutLMConfig(
        vocab_size=len(tokenizer), max_position_embeddings=POSITIONS, max_2d_position_embeddings=1024,
        pad_token_id=0, **SHAPE,
    )  # fmt: skip
    kind = transformers.LayoutLMForQuestionAnswering
    save(folder, seed, lambda: spread(kind(settings), "qa_outputs.weight"), tokenizer)


def donut(folder: Path, seed: int) -> None:
    """A Donut, which reads the page itself; its prompt and its answers are marked with tokens."""
    import transformers

    marks = ["<s_docvqa>", "<s_question>", "</s_question>", "<s_answer>", "</s_answer>"]
    tokenizer = byte_tokenizer("BartTokenizerFast", extra_special_tokens=marks)
    sees = transformers.DonutSwinConfig(
        image_size=[64, 64], patch_size=4, embed_dim=16, depths=[1, 1], num_heads=[1, 2], window_size=4,
        initializer_range=0.3,
    )  # fmt: skip
    writes = transformers.MBartConfig(
        vocab_size=len(tokenizer), d_model=HIDDEN, decoder_layers=2, decoder_attention_heads=2,
        decoder_ffn_dim=64, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=64,
        max_position_embeddings=POSITIONS, init_std=0.3, is_encoder_decoder=False,
        add_cross_attention=True, is_decoder=True,
    )  # fmt: skip
    settings = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(sees, writes)
    for name, token in [("decoder_start_token_id", 0), ("pad_token_id", 1), ("eos_token_id", 2)]:
        setattr(settings, name, token)
    pictures = transformers.DonutImageProcessorPil(
        size={"height": 64, "width": 64}, do_align_long_axis=False, do_thumbnail=True, do_pad=True
    )
    kind = transformers.VisionEncoderDecoderModel

    def build() -> Any:
        model = varied(
            kind(settings), "decoder.model.decoder.layer_norm.weight", rare=single_bytes(len(BYTE_SPECIAL))
        )
        closing = tokenizer.convert_tokens_to_ids("</s_answer>")
        model.get_output_embeddings().weight.data[closing].mul_(4.0)
        model.generation_config.max_length = 40
        return model

    save(folder, seed, build, transformers.DonutProcessor(pictures, tokenizer))


PICTURES = [image(5), image(6, 80, 60), image(7, 33, 64, "JPEG")]
QUESTIONS = ["What color is the cat?", "How many people are in the park?", "Is the man eating?"]
ASKED = [
    {"image": picture, "question": question} for picture, question in zip(PICTURES, QUESTIONS, strict=True)
]
PAGE, WORDS = document(["invoice number 19", "total price 30", "date Monday"])
PAGES = [
    {"image": PAGE, "question": "What is the total price?", "word_boxes": WORDS},
    {"image": PAGE, "question": "number?", "word_boxes": WORDS},
]
CONVERSATIONS = [
    {"images": PICTURES[0], "text": "<image> What color is the cat?"},
    {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "image": PICTURES[1]},
                    {"type": "text", "text": "How many people are in the park?"},
                ],
            }
        ]
    },
]
VISION_TO_TEXT = "AutoModelForImageTextToText"
DOCUMENT = "document-question-answering"
VISUAL = "visual-question-answering"


def _blip_answers(folder: Path, seed: int) -> None:
    blip("BlipForQuestionAnswering", folder, seed)


def _blip_captions(folder: Path, seed: int) -> None:
    blip("BlipForConditionalGeneration", folder, seed)


def _model(task: str, auto_class: str, build: Any, samples: list[Any]) -> TinyModel:
    return TinyModel(task, auto_class, build, samples, packages=("pillow",))


MODELS = {
    "image-text-to-text": _model("image-text-to-text", VISION_TO_TEXT, llava, CONVERSATIONS),
    VISUAL: _model(VISUAL, "AutoModelForVisualQuestionAnswering", vilt, ASKED),
    f"{VISUAL}-blip": _model(VISUAL, "AutoModelForVisualQuestionAnswering", _blip_answers, ASKED),
    "image-to-text": _model("image-to-text", VISION_TO_TEXT, vision_encoder_decoder, PICTURES),
    "image-to-text-blip": _model("image-to-text", VISION_TO_TEXT, _blip_captions, PICTURES),
    DOCUMENT: _model(DOCUMENT, "AutoModelForDocumentQuestionAnswering", layoutlmv3, PAGES),
    f"{DOCUMENT}-layoutlm": TinyModel(DOCUMENT, "AutoModelForDocumentQuestionAnswering", layoutlm, PAGES),
    f"{DOCUMENT}-donut": _model(
        DOCUMENT,
        VISION_TO_TEXT,
        donut,
        [{"image": page["image"], "question": page["question"]} for page in PAGES],
    ),
}
