"""How many tokens a model takes at once, as its config and layers tell."""

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("handler_path")
TINY = {
    "vocab_size": 16, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
    "intermediate_size": 8, "max_position_embeddings": 40,
}  # fmt: skip
TINY_T5 = {"vocab_size": 16, "d_model": 8, "d_kv": 8, "d_ff": 8, "num_layers": 1, "num_heads": 1}


def model_of(name: str, **config: Any) -> Any:
    import transformers

    return getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**config))


@pytest.mark.parametrize(
    ("name", "config", "positions"),
    [
        ("Bert", TINY, 40),
        ("Roberta", {**TINY, "pad_token_id": 1}, 38),  # its first position is 2, behind the padding's
        ("LayoutLMv3", {**TINY, "pad_token_id": 1, "visual_embed": False}, 38),
        ("LayoutLM", {**TINY, "max_2d_position_embeddings": 24}, 40),  # 24 are places on a page
        ("T5", TINY_T5, None),  # has no table of positions
    ],
)
def test_positions_of_a_model(name: str, config: dict[str, Any], positions: int | None) -> None:
    from hf_handler.text.tokens import positions_of

    assert positions_of(model_of(name, **config)) == positions


def test_models_whose_config_tells_their_positions() -> None:
    """For these an ONNX file is run without the layers being looked at."""
    import transformers

    from hf_handler.engines.onnx_model import POSITIONS_BY_CONFIG
    from hf_handler.text.tokens import positions_of

    assert sorted(POSITIONS_BY_CONFIG) == ["albert", "bert", "distilbert", "electra", "modernbert"]
    sizes = {
        "vocab_size": 16, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
        "intermediate_size": 8, "embedding_size": 8, "max_position_embeddings": 40, "pad_token_id": 1,
        "cls_token_id": 1, "sep_token_id": 1, "bos_token_id": 1, "eos_token_id": 1,
    }  # fmt: skip
    sizes |= {"dim": 8, "n_layers": 1, "n_heads": 1, "hidden_dim": 8}  # DistilBERT's names
    for kind in POSITIONS_BY_CONFIG:
        config = transformers.AutoConfig.for_model(kind, **sizes)
        assert positions_of(transformers.AutoModel.from_config(config)) == 40, kind


def test_positions_of_a_model_with_pictures_are_those_of_its_text() -> None:
    import transformers

    from hf_handler.text.tokens import positions_of

    vision = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, image_size=32
    )
    text = transformers.BertConfig(**{**TINY, "is_decoder": True, "add_cross_attention": True})
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(vision, text)
    assert positions_of(transformers.VisionEncoderDecoderModel(config)) == 40


@pytest.mark.parametrize(("limit", "longest"), [(30, 30), (50, 40), (None, 40)])
def test_the_longest_row(limit: int | None, longest: int) -> None:
    from hf_handler.text.tokens import longest_row

    assert longest_row(model_of("Bert", **TINY), limit) == longest
