"""Which file the weights are read from, and what is never done with it."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from tests.integration.handlers.handler_models import (
    TEXTS,
    assert_same_labels,
    classify,
    predict,
    save_bert,
)


@pytest.mark.parametrize("name", ["model.safetensors", "ckpt.safetensors", "pytorch_model.bin", "weights.pt"])
def test_the_file_the_manifest_names(tmp_path: Path, transformers: Any, name: str) -> None:
    import torch

    model = save_bert(transformers, tmp_path)
    expected = classify(transformers, tmp_path, TEXTS)
    (tmp_path / "model.safetensors").rename(tmp_path / name)
    if not name.endswith(".safetensors"):
        torch.save(model.state_dict(), tmp_path / name)
    write_manifest(tmp_path, serialized_file=name)
    for answer, other in zip(predict(load(tmp_path), *TEXTS), expected, strict=True):
        assert_same_labels(answer, other)


def test_the_named_file_wins_over_one_beside_it(tmp_path: Path, transformers: Any) -> None:
    import torch

    model = save_bert(transformers, tmp_path)
    expected = classify(transformers, tmp_path, TEXTS)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    model.init_weights()
    model.classifier.bias.data += 50 * torch.arange(3)
    model.save_pretrained(tmp_path)  # other weights, in the file that transformers takes first
    write_manifest(tmp_path, serialized_file="pytorch_model.bin")
    for answer, other in zip(predict(load(tmp_path), *TEXTS), expected, strict=True):
        assert_same_labels(answer, other)


def test_shards(tmp_path: Path, transformers: Any) -> None:
    model = save_bert(transformers, tmp_path)
    expected = classify(transformers, tmp_path, TEXTS)
    (tmp_path / "model.safetensors").unlink()
    model.save_pretrained(tmp_path, max_shard_size="8KB")
    first, *others = sorted(file.name for file in tmp_path.glob("model-*.safetensors"))
    assert others
    write_manifest(tmp_path, serialized_file=first)
    for answer, other in zip(predict(load(tmp_path), *TEXTS), expected, strict=True):
        assert_same_labels(answer, other)


@pytest.mark.parametrize(
    ("name", "in_manifest"), [("pytorch_model.bin", True), ("pytorch_model.bin", False), ("weights.pt", True)]
)
def test_a_pickle_with_code_in_it_does_not_run(
    tmp_path: Path, transformers: Any, name: str, in_manifest: bool
) -> None:
    import torch

    save_bert(transformers, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    ran = tmp_path / "ran"

    class Malicious:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(ran),)

    torch.save({"weight": Malicious()}, tmp_path / name)
    write_manifest(tmp_path, serialized_file=name if in_manifest else None)
    with pytest.raises(
        ValueError, match=r"no file of weights only: nothing in it was run; accepted: .*; fix: "
    ):
        load(tmp_path)
    assert not ran.exists()
    torch.load(tmp_path / name, weights_only=False)
    assert ran.exists(), "the file must be one that runs code where nothing stops it"


def test_code_that_comes_with_the_model_runs_only_where_the_archive_says_so(
    tmp_path: Path, transformers: Any
) -> None:
    save_bert(transformers, tmp_path)
    ran = tmp_path / "ran"
    (tmp_path / "own.py").write_text(
        f"import os\nfrom transformers import BertConfig\nos.mkdir({str(ran)!r})\n\n\n"
        "class Own(BertConfig):\n    pass\n"
    )
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoConfig": "own.Own"}}))
    write_manifest(tmp_path)
    assert len(predict(load(tmp_path), "A good film.")) == 1
    assert not ran.exists()
    write_manifest(tmp_path, config="handler: {trust_remote_code: true}")
    with contextlib.suppress(ValueError):  # there is no model for its configuration
        load(tmp_path)
    assert ran.exists(), "the code must be one that runs where the archive asks for it"


def test_missing_weights_are_no_random_answers(tmp_path: Path, transformers: Any) -> None:
    save_bert(transformers, tmp_path, "Model")
    write_manifest(tmp_path, config="handler: {task: text-classification}")
    with pytest.raises(
        ValueError, match=r"2 weights are missing \(classifier.bias, classifier.weight, .*fix: "
    ):
        load(tmp_path)


def test_a_masked_lm_gives_embeddings(tmp_path: Path, transformers: Any) -> None:
    save_bert(transformers, tmp_path, "ForMaskedLM")  # has no pooler, which embeddings don't need
    write_manifest(tmp_path, config="handler: {task: sentence-embeddings}")
    assert [len(vector) for vector in predict(load(tmp_path), *TEXTS)] == [16] * 4
