"""LoRA adapters in the archive: merged into the base model that lies beside them."""

from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from tests.integration.handlers.handler_models import (
    TEXTS,
    assert_same_labels,
    predict,
    save_bert,
)
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving.archive.source import LocalArchive
from vertex_torchserve.serving.archive.unpacking import unpack_archive

# peft 0.21 asks for a name that transformers 5.23 has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
LABELS = ("LABEL_0", "LABEL_1", "LABEL_2")


def save_adapted(transformers: Any, folder: Path) -> Any:
    """Save a seeded BERT and a seeded adapter into one folder; returns peft's model of the two."""
    import peft
    import torch

    base = save_bert(transformers, folder)
    config = peft.LoraConfig(
        task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=["query", "value"], init_lora_weights=False
    )
    torch.manual_seed(3)
    model = peft.get_peft_model(base, config).eval()
    with torch.no_grad():
        model.classifier.modules_to_save["default"].bias.copy_(torch.tensor([0.3, -0.2, 0.1]))
    model.save_pretrained(str(folder))
    return model


def scores_by_peft(transformers: Any, model: Any, folder: Path) -> list[list[float]]:
    import torch

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return [
            model(**tokenizer(text, return_tensors="pt")).logits.softmax(-1)[0].tolist() for text in TEXTS
        ]


def test_answers_are_those_of_the_adapted_model(tmp_path: Path, transformers: Any) -> None:
    folder = tmp_path / "model"
    model = save_adapted(transformers, folder)
    expected = scores_by_peft(transformers, model, folder)
    with model.disable_adapter():
        base = scores_by_peft(transformers, model, folder)
    mar = build_model_archive(ModelArchiveSpec(folder, handler="huggingface"), tmp_path / "archive").mar_path
    unpacked = unpack_archive(LocalArchive(mar), tmp_path / "unpacked").path
    rows = [{"text": text, "parameters": {"top_k": None}} for text in TEXTS]
    answers = [{one["label"]: one["score"] for one in row} for row in predict(load(unpacked), *rows)]
    for answer, with_adapter, without in zip(answers, expected, base, strict=True):
        assert [answer[label] for label in LABELS] == pytest.approx(with_adapter, abs=1e-4)
        assert [answer[label] for label in LABELS] != pytest.approx(without, abs=1e-2)


def test_linear_layers_are_copied_after_the_adapter_is_merged(
    tmp_path: Path, transformers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hf_handler import linear_layers

    monkeypatch.setattr(linear_layers, "LEAST_GAIN", 1e-9)
    model = save_adapted(transformers, tmp_path)
    send = load(tmp_path)
    kinds = [type(layer).__name__ for layer in send.service.context.huggingface.task.model.modules()]
    assert kinds.count("OneDnnLinear") == 14
    for answer, scores in zip(
        predict(send, *TEXTS), scores_by_peft(transformers, model, tmp_path), strict=True
    ):
        assert_same_labels(answer, {"label": LABELS[scores.index(max(scores))], "score": max(scores)})


def test_an_adapter_that_the_manifest_names_is_not_taken_for_the_weights(
    tmp_path: Path, transformers: Any
) -> None:
    expected = scores_by_peft(transformers, save_adapted(transformers, tmp_path), tmp_path)
    write_manifest(tmp_path, serialized_file="adapter_model.safetensors")
    for answer, scores in zip(predict(load(tmp_path), *TEXTS), expected, strict=True):
        assert answer["score"] == pytest.approx(max(scores), abs=1e-4)


def test_the_base_may_lie_in_shards(tmp_path: Path, transformers: Any) -> None:
    model = save_adapted(transformers, tmp_path)
    expected = scores_by_peft(transformers, model, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    save_bert(transformers, tmp_path / "base").save_pretrained(tmp_path, max_shard_size="8KB")
    assert len(list(tmp_path.glob("model-*-of-*.safetensors"))) > 1
    write_manifest(tmp_path, serialized_file="adapter_model.safetensors")
    for answer, scores in zip(predict(load(tmp_path), *TEXTS), expected, strict=True):
        assert answer["score"] == pytest.approx(max(scores), abs=1e-4)


@pytest.mark.parametrize("name", ["model.fp16.safetensors", "model_old.safetensors", "pytorch_model.bin.bak"])
def test_a_file_that_transformers_would_not_read_is_no_base(
    tmp_path: Path, transformers: Any, name: str
) -> None:
    save_adapted(transformers, tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / name)
    write_manifest(tmp_path, serialized_file="adapter_model.safetensors")
    with pytest.raises(ValueError, match=r"without its base model: config.json and the weights must be"):
        load(tmp_path)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_an_adapter_without_its_base_is_refused(tmp_path: Path, transformers: Any, missing: str) -> None:
    save_adapted(transformers, tmp_path)
    (tmp_path / missing).unlink()
    write_manifest(tmp_path, serialized_file="adapter_model.safetensors")
    with pytest.raises(
        ValueError, match=r"without its base model: config.json and the weights must be beside it; fix: add"
    ):
        load(tmp_path)
