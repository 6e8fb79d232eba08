"""Encoders run by onnxruntime: the same answers, the engine that is chosen, and files that can't be run."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import READY_SECONDS
from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples
from tests.integration.handlers.handler_models import ENCODER_TASKS, assert_same

ROOT = Path(__file__).parents[3]
# RoBERTa counts positions in a way of its own.
ENCODERS = [name.replace("token-classification", "token-classification-roberta") for name in ENCODER_TASKS]


def served(folder: Path, name: str, **settings: Any) -> Any:
    settings = {"task": CATALOGUE[name].task, **settings}
    write_manifest(folder, config=f"handler: {json.dumps(settings)}\n")
    return load(folder, envelope=None)


def asked(send: Any, name: str) -> Any:
    return send({"instances": samples(name), "parameters": CATALOGUE[name].parameters}).answers[0][
        "predictions"
    ]


def model_of(send: Any) -> str:
    return type(send.service.context.huggingface.task.model).__name__


def export(send: Any, file: Path) -> None:
    """Write the model that a handler serves by torch, as packaging does."""
    from vertex_torchserve.model_archive.onnx_export.export import traced

    file.parent.mkdir(exist_ok=True)
    traced(send.service.context.huggingface.task, file)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers folder with its ONNX file, as the Hub has them."""
    folder = make("sentence-embeddings", tmp_path_factory.mktemp("embedder") / "model")
    export(served(folder, "sentence-embeddings", engine="torch"), folder / "onnx" / "model.onnx")
    return folder


@pytest.mark.parametrize("name", ENCODERS)
def test_answers_are_torchs(tmp_path: Path, name: str) -> None:
    folder = make(name, tmp_path / "model")
    by_torch = served(folder, name, engine="torch")
    export(by_torch, folder / "model.onnx")
    by_onnxruntime = served(folder, name, engine="onnxruntime")
    assert (model_of(by_onnxruntime), model_of(by_torch)) != ("OnnxModel", "OnnxModel")
    assert model_of(by_onnxruntime) == "OnnxModel"
    assert_same(asked(by_onnxruntime, name), asked(by_torch, name))


def test_no_layer_looks_for_rows_that_attend_to_nothing(embedder: Path) -> None:
    import onnx

    operators = {node.op_type for node in onnx.load(str(embedder / "onnx" / "model.onnx")).graph.node}
    assert "Softmax" in operators
    assert "IsNaN" not in operators  # as torch writes its one operator for attention


def test_without_weights_for_torch_the_onnx_file_is_run(embedder: Path, tmp_path: Path) -> None:
    folder = linked(embedder, tmp_path)
    (folder / "model.safetensors").unlink()
    send = served(folder, "sentence-embeddings")
    assert model_of(send) == "OnnxModel"
    assert_same(
        asked(send, "sentence-embeddings"),
        asked(served(embedder, "sentence-embeddings", engine="torch"), "sentence-embeddings"),
    )


def test_an_onnx_file_alone_needs_no_class_of_transformers_models(embedder: Path, tmp_path: Path) -> None:
    folder = linked(embedder, tmp_path)
    (folder / "model.safetensors").unlink()
    write_manifest(folder, config='handler: {"task": "sentence-embeddings"}\n')
    program = (
        "import sys; from pathlib import Path; from testbed.loaded_handler import load\n"
        "send = load(Path(sys.argv[1]), envelope=None)\n"
        "assert type(send.service.context.huggingface.task.model).__name__ == 'OnnxModel'\n"
        "sys.exit(next((name for name in sys.modules if name.startswith('transformers.modeling_utils')), 0))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, folder], capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, timeout=READY_SECONDS,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("gain", "model", "engine"), [(0.0, "OnnxModel", "onnxruntime"), (1e9, "BertModel", "torch")]
)
def test_auto_takes_the_faster_one_and_says_why(
    embedder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    gain: float,
    model: str,
    engine: str,
) -> None:
    from hf_handler.engines import trial

    monkeypatch.setattr(trial, "LEAST_GAIN", gain)
    monkeypatch.setattr(trial, "LEAST_GAIN_OF_EACH", 0.0)
    with caplog.at_level(logging.INFO):
        send = served(embedder, "sentence-embeddings")
    assert model_of(send) == model
    assert f"{engine} runs the model: onnxruntime takes one short text " in caplog.text
    assert " times as fast as torch, 8 rows of 64 tokens " in caplog.text


def test_all_workers_of_a_server_run_what_the_first_one_chose(
    embedder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from hf_handler.engines import trial

    monkeypatch.setenv("VTS_DECISIONS", str(tmp_path))
    monkeypatch.setattr(trial, "LEAST_GAIN", 0.0)
    monkeypatch.setattr(trial, "LEAST_GAIN_OF_EACH", 0.0)
    assert model_of(served(embedder, "sentence-embeddings")) == "OnnxModel"
    monkeypatch.setattr(trial, "LEAST_GAIN", 1e9)
    with caplog.at_level(logging.INFO):
        second = served(embedder, "sentence-embeddings")
    assert model_of(second) == "OnnxModel"
    assert "as another worker of this server decided" in caplog.text
    assert {file.name for file in tmp_path.iterdir()} == {"engine", "linear_layers", "pack_budget"}


def test_auto_leaves_a_file_that_gives_something_else(
    embedder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = linked(make("sentence-embeddings", tmp_path / "other", seed=1), tmp_path)
    (folder / "model.onnx").symlink_to(embedder / "onnx" / "model.onnx")
    with caplog.at_level(logging.INFO):
        assert model_of(served(folder, "sentence-embeddings")) == "BertModel"
    assert "torch runs the model: its outputs differ from torch's by " in caplog.text


def test_auto_leaves_a_file_of_another_head_and_warns(
    embedder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make("fill-mask", tmp_path / "model")
    (folder / "model.onnx").symlink_to(embedder / "onnx" / "model.onnx")
    assert model_of(served(folder, "fill-mask")) == "BertForMaskedLM"
    assert "torch runs the model: model.onnx gives no logits, but last_hidden_state" in caplog.text


def linked(source: Path, folder: Path) -> Path:
    """A model folder whose files a test may take away or replace."""
    copy = folder / "linked"
    for file in source.rglob("*"):
        if file.is_file() and not file.name.startswith("model-config"):
            place = copy / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)
    return copy


def graph(inputs: dict[str, tuple[int, list[Any]]], outputs: dict[str, list[Any]], opset: int = 17) -> bytes:
    """An ONNX file that gives a constant for each output, whatever it is given."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node(
            "Constant",
            [],
            [name],
            value=helper.make_tensor(name, TensorProto.FLOAT, shape, [0.0] * int(prod(shape))),
        )
        for name, shape in outputs.items()
    ]
    made = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return bytes(onnx._serialize(model) if hasattr(onnx, "_serialize") else model.SerializeToString())


def prod(shape: list[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


INT64, FLOAT = 7, 1
IDS = {"input_ids": (INT64, ["rows", "tokens"]), "attention_mask": (INT64, ["rows", "tokens"])}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: b"no ONNX at all", "can't be loaded by onnxruntime "),
        (lambda: graph(IDS, {"last_hidden_state": [2, 3, 32]}, opset=99), "can't be loaded by onnxruntime "),
        (
            lambda: graph({**IDS, "position_ids": (INT64, ["r", "t"])}, {"last_hidden_state": [2, 3, 32]}),
            "takes an input 'position_ids'; accepted: attention_mask, input_ids, token_type_ids",
        ),
        (
            lambda: graph({"input_ids": (FLOAT, ["r", "t"])}, {"last_hidden_state": [2, 3, 32]}),
            "takes input_ids as tensor(float); accepted: tensor(int64), tensor(int32)",
        ),
        (
            lambda: graph({"input_ids": (INT64, [1, 128])}, {"last_hidden_state": [2, 3, 32]}),
            "takes input_ids of shape [1, 128]; accepted: any number of rows and tokens",
        ),
        (
            lambda: graph({"attention_mask": (INT64, ["r", "t"])}, {"last_hidden_state": [2, 3, 32]}),
            "takes no input_ids, but attention_mask",
        ),
        (
            lambda: graph(IDS, {"logits": [2, 3]}),
            "gives no last_hidden_state or token_embeddings, but logits",
        ),
        (
            lambda: graph(IDS, {"last_hidden_state": [2, 3, 16]}),
            "gives last_hidden_state of shape (2, 3, 16) for 2 rows of 3 tokens; config.json says (2, 3, 32)",
        ),
    ],
)
def test_a_file_that_does_not_fit_says_why(
    embedder: Path, tmp_path: Path, content: Callable[[], bytes], said: str
) -> None:
    folder = linked(embedder, tmp_path)
    (folder / "onnx" / "model.onnx").unlink()
    (folder / "model.onnx").write_bytes(content())
    with pytest.raises(ValueError) as error:
        served(folder, "sentence-embeddings", engine="onnxruntime")
    assert f"model.onnx {said}" in str(error.value)
    assert "fix: export it from this model" in str(error.value)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("sentence-embeddings", {"engine": "onnx"}, "handler.engine must be one of"),
        ("sentence-embeddings", {"engine": "onnxruntime"}, "needs an ONNX file, and the archive"),
        ("sentence-embeddings", {"onnx_file": "onnx/model_O2.onnx"}, "'onnx/model_O2.onnx' is no file of"),
        ("text2text-generation", {"engine": "onnxruntime"}, "encoders, and text2text-generation"),
        ("sentence-embeddings", {"quantize": "int8"}, "package with --engine onnxruntime --quantize int8"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used(tmp_path: Path, name: str, settings: Any, said: str) -> None:
    folder = make(name, tmp_path / "model")
    with pytest.raises(ValueError, match="fix: ") as error:
        served(folder, name, **settings)
    assert said in str(error.value)


def test_bfloat16_and_the_file_of_float32_exclude_each_other(embedder: Path) -> None:
    with pytest.raises(ValueError, match=r"handler\.dtype is bfloat16"):
        served(embedder, "sentence-embeddings", engine="onnxruntime", dtype="bfloat16")
    assert model_of(served(embedder, "sentence-embeddings", dtype="bfloat16")) == "BertModel"


def test_large_packs_run_on_all_threads(
    embedder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = tmp_path / "worker-times"
    times.write_bytes(bytes(16))
    monkeypatch.setenv("VTS_WORKER_TIMES", str(times))
    send = served(embedder, "sentence-embeddings", engine="onnxruntime")
    task = send.service.context.huggingface.task
    model = task.model
    assert sorted(model._sessions) == [1, 2]
    task.threads.least_tokens = 128  # of this machine it was measured at load
    used: list[int] = []
    for threads, session in model._sessions.items():
        monkeypatch.setitem(model._sessions, threads, Watched(session, threads, used))
    long = "The train to Vienna leaves at nine and arrives at noon. " * 4
    together = send({"instances": [long] * 8}).answers[0]["predictions"]
    (alone,) = send({"instances": ["cats"]}).answers[0]["predictions"]
    # How many packs the long ones are is measured at load.
    assert set(used[:-1]) == {2}
    assert used[-1] == 1
    assert len(alone) == len(together[0])


class Watched:
    """A session that says which one was used."""

    def __init__(self, session: Any, threads: int, used: list[int]) -> None:
        self._session, self._threads, self._used = session, threads, used

    def run(self, *arguments: Any) -> Any:
        self._used.append(self._threads)
        return self._session.run(*arguments)
