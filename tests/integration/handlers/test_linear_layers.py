"""Linear layers that oneDNN computes: what torch's own give, for the models they are for and no other."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import make, samples
from tests.integration.handlers.handler_models import (
    TEXTS,
    assert_same_labels,
    classify,
    predict,
    save_bert,
)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The handler where any gain is enough: what is measured of tiny layers is chance."""
    from hf_handler import linear_layers

    monkeypatch.setattr(linear_layers, "LEAST_GAIN", 1e-9)
    return linear_layers


def by_onednn(model: Any) -> list[str]:
    """Names of the layers that oneDNN computes."""
    return [name for name, layer in model.named_modules() if type(layer).__name__ == "OneDnnLinear"]


def model_of(send: Any) -> Any:
    return send.service.context.huggingface.task.model


@pytest.mark.parametrize("bias", [True, False])
def test_rows_of_any_shape_are_multiplied_as_torch_does(handler: Any, bias: bool) -> None:
    import torch

    torch.manual_seed(4)
    layer = torch.nn.Linear(24, 10, bias=bias)
    model = torch.nn.Sequential(layer).requires_grad_(False)
    rows = torch.randn(6, 5, 24)
    inputs = [
        rows,
        rows[0],
        rows[0, 0],
        rows[:0],
        rows[:, :0],
        rows.transpose(0, 1),
        torch.randn(24, 7).t(),
        torch.randn(7, 48)[:, ::2],
        rows[:1, :1].expand(3, 4, 24),
        torch.randn(2, 3, 4, 5, 24),
    ]
    expected = [torch.nn.functional.linear(one, layer.weight, layer.bias) for one in inputs]
    handler.use_onednn(model)
    assert by_onednn(model) == ["0"]
    with torch.inference_mode():
        for one, other in zip(map(model, inputs), expected, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_layers_that_onednn_cannot_compute_stay_as_they_are(handler: Any) -> None:
    import torch

    class Doubled(torch.nn.Linear):
        """Computes something of its own."""

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(rows)

    model = torch.nn.ModuleList(
        [
            torch.nn.Linear(8, 4),
            torch.nn.Linear(0, 4),
            torch.nn.Linear(8, 4, dtype=torch.bfloat16),
            torch.nn.Linear(8, 4, device="meta"),
            Doubled(8, 4),
            torch.nn.Linear(8, 4),
        ]
    ).requires_grad_(False)
    handler.use_onednn(model)
    assert by_onednn(model) == ["0", "5"]


def test_layers_that_give_something_else_have_no_gain(handler: Any) -> None:
    import torch

    layer = torch.nn.Linear(8, 4)
    model = torch.nn.Sequential(layer).requires_grad_(False)
    layer.weight.fill_(torch.nan)  # equal to nothing
    handler.use_onednn(model)
    assert by_onednn(model) == []


# Query, key, value, output, intermediate and output of each of two layers; the pooler and the classifier.
@pytest.mark.parametrize(
    ("setting", "count"),
    [
        ("linear_layers: auto", 14),
        ("linear_layers: torch", 0),
        ("dtype: bfloat16", 0),
    ],
)
def test_which_archives_have_them(
    handler: Any, tmp_path: Path, transformers: Any, caplog: Any, setting: str, count: int
) -> None:
    save_bert(transformers, tmp_path)
    write_manifest(tmp_path, config=f"handler: {{{setting}}}")
    with caplog.at_level(logging.INFO):
        send = load(tmp_path)
    assert len(by_onednn(model_of(send))) == count
    assert ("linear layers run by oneDNN: measured to be" in caplog.text) == (count > 0)
    answers = predict(send, *TEXTS)
    if setting.startswith("linear_layers"):
        for answer, other in zip(answers, classify(transformers, tmp_path, TEXTS), strict=True):
            assert_same_labels(answer, other)


def test_where_the_gain_is_too_small_the_model_stays_as_it_is(
    handler: Any, tmp_path: Path, transformers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "LEAST_GAIN", 1e9)
    save_bert(transformers, tmp_path)
    assert by_onednn(model_of(load(tmp_path))) == []


def test_the_copy_ends_at_its_limit(
    handler: Any, tmp_path: Path, transformers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "MOST_COPIED_BYTES", 4 * 1024 + 2048 + 1)  # 16 x 16 and 16 x 32 numbers
    save_bert(transformers, tmp_path)
    assert by_onednn(model_of(load(tmp_path))) == [
        "bert.encoder.layer.0.attention.self.query",
        "bert.encoder.layer.0.attention.self.key",
        "bert.encoder.layer.0.attention.self.value",
        "bert.encoder.layer.0.attention.output.dense",
        "bert.encoder.layer.0.intermediate.dense",
    ]


def test_so_much_of_a_model_is_measured(handler: Any) -> None:
    small = [torch.nn.Linear(256, 256) for _ in range(20)]
    large = [torch.nn.Linear(2048, 2048) for _ in range(20)]  # 16 MiB each
    huge = [torch.nn.Linear(8192, 4096, device="meta")]
    assert [len(handler.measured_of(layers)) for layers in (small, large, huge)] == [16, 4, 1]


def test_a_head_that_shares_its_weight_with_the_embeddings_goes_on_sharing_it(
    handler: Any, tmp_path: Path
) -> None:
    folder = make("text-generation-gpt2", tmp_path)
    texts = [one for one in samples("text-generation-gpt2") if isinstance(one, str)]
    sends = []
    for choice in ("auto", "torch"):
        write_manifest(
            folder, config=f"handler: {{linear_layers: {choice}, parameters: {{do_sample: false}}}}"
        )
        sends.append(load(folder))
    fast, plain = sends
    model = model_of(fast)
    assert by_onednn(model) == ["lm_head"]
    assert model.lm_head.weight is model.transformer.wte.weight
    assert predict(fast, *texts) == predict(plain, *texts)
