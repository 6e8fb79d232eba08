"""How many texts summaries and translations follow: as sent, else as the model's own settings say, else 4."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("handler_path")


@pytest.mark.parametrize(
    ("own", "sent", "beams"),
    [(None, {}, 4), (1, {}, 1), (2, {}, 2), (2, {"num_beams": 3}, 3), (2, {"num_beams": 1}, 1)],
    ids=["neither", "the model's 1", "the model's 2", "sent", "1 is sent"],
)
def test_a_models_own_beams_come_before_the_usual_4(
    tmp_path: Path, own: int | None, sent: dict[str, Any], beams: int
) -> None:
    transformers = pytest.importorskip("transformers")
    from hf_handler.text.generation_options import GenerationOptions

    config = transformers.T5Config(
        vocab_size=16, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    model = transformers.T5ForConditionalGeneration(config)
    if own is not None:
        model.generation_config.num_beams = own
    model.save_pretrained(tmp_path)  # `num_beams` is in generation_config.json
    model = transformers.T5ForConditionalGeneration.from_pretrained(tmp_path)
    options = GenerationOptions(model, {"max_new_tokens": 256, "num_beams": 4}, None)
    chosen = options.of(sent, 3, {})
    assert options.beams(chosen) == beams
    assert options.new_tokens({**chosen, "max_new_tokens": 10}) == 10 * beams
