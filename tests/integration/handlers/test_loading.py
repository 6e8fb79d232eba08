"""Settings, the task, the log and the README example."""

import dataclasses
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import PROGRAM_SECONDS
from testbed.loaded_handler import HANDLERS, load, write_manifest
from tests.integration.handlers.handler_models import (
    TEXTS,
    assert_same_labels,
    classify,
    predict,
    save_bert,
)

COMPILER = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            "handler: {task: sentiment}",
            r"unknown task 'sentiment'; accepted: .*sentence-embeddings, .*text-classification, .*fix: ",
        ),
        (
            "handler: {task: [x]}",
            r"handler.task must be a string, got list; fix: ",
        ),
        (
            "handler: {tsk: a, dtypes: b}",
            r"unknown keys under handler: dtypes, tsk; accepted: task, dtype, .*fix: ",
        ),
        ("handler: {dtype: int3}", r"handler.dtype must be one of auto, float32, .*, got 'int3'; fix: "),
        (
            "handler: {max_batch_tokens: 0}",
            r"handler.max_batch_tokens must be a whole number of at least 1, got 0",
        ),
        (
            "handler: {parameters: {topk: 1}}",
            r"handler.parameters: unknown parameters: topk; accepted: top_k",
        ),
        ("handler: text-classification", r"handler must be a mapping.*got str; fix: "),
    ],
)
def test_settings_that_are_refused(tmp_path: Path, transformers: Any, config: str, message: str) -> None:
    save_bert(transformers, tmp_path)
    write_manifest(tmp_path, config=config)
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


@pytest.mark.parametrize("config", [None, "minWorkers: 1", "handler:", "handler: {}", "# nothing"])
def test_settings_that_leave_the_task_to_the_model(
    tmp_path: Path, transformers: Any, config: str | None
) -> None:
    save_bert(transformers, tmp_path)
    write_manifest(tmp_path, config=config)
    assert set(predict(load(tmp_path), "good movie")[0]) == {"label", "score"}


def test_an_archive_without_its_tokenizer_is_refused(tmp_path: Path, transformers: Any) -> None:
    """transformers makes an empty one then, to which every word is unknown."""
    save_bert(transformers, tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").unlink(missing_ok=True)
    with pytest.raises(ValueError, match=r"no tokenizer: none of tokenizer\.json, vocab\.txt; fix: "):
        load(tmp_path)


def test_a_model_that_tells_no_task(tmp_path: Path, transformers: Any) -> None:
    save_bert(transformers, tmp_path, "ForNextSentencePrediction")
    with pytest.raises(
        ValueError, match=r"tells no task: .*\['BertForNextSentencePrediction'\]; accepted tasks: .*fix: "
    ):
        load(tmp_path)


def test_one_line_says_task_device_and_time(
    tmp_path: Path, transformers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import torch

    save_bert(transformers, tmp_path)
    write_manifest(tmp_path, config="handler: {linear_layers: torch}")
    with caplog.at_level(logging.INFO):
        predict(load(tmp_path, gpu_id=0), "a secret text")
    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    lines = [record.getMessage() for record in caplog.records if record.name == "hf_handler.service"]
    assert len(lines) == 1
    assert re.fullmatch(
        rf"text-classification on {device}, packs of \d+, loaded and warmed up in \d+\.\d s", lines[0]
    )
    assert "secret" not in caplog.text


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch's compiler uses it
@pytest.mark.skipif(not COMPILER, reason="torch.compile takes a C++ compiler: none is installed")
def test_a_compiled_model_is_compiled_for_batches_before_it_is_ready(
    tmp_path: Path, transformers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left to compile for the first request of several rows."""
    import torch
    import torch._dynamo.utils
    import torch._inductor.config

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    folder = tmp_path / "model"
    save_bert(transformers, folder, num_hidden_layers=1)
    write_manifest(folder, config="handler: {torch_compile: true, max_batch_tokens: 64}")
    with torch._inductor.config.patch(compile_threads=1):  # else it starts processes and leaves them
        send = load(folder)
    kinds = {type(layer).__name__ for layer in send.service.context.huggingface.task.model.modules()}
    assert "Linear" in kinds and "OneDnnLinear" not in kinds
    compiled = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    answers = predict(send, *TEXTS)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == compiled > 0
    for answer, other in zip(answers, classify(transformers, folder, TEXTS), strict=True):
        assert_same_labels(answer, other)


def run_python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in `folder`, which comes first on the path, with nothing set for Hugging Face."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment["PYTHONPATH"] = f"{folder}{os.pathsep}{HANDLERS}"
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )


def test_transformers_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "transformers.py").write_text("raise ImportError('not here')")
    code = "from ts.model_loader import TsModelLoader as L; L().load('m', '.', 'huggingface_handler.py')"
    ran = run_python(code, tmp_path)
    assert ran.returncode == 1
    assert "RuntimeError: transformers can't be imported (not here); fix: install" in ran.stderr


def test_the_hub_is_off_before_anything_asks_it(tmp_path: Path) -> None:
    (tmp_path / "transformers.py").write_text("import huggingface_hub.constants")  # as early as can be
    ran = run_python(
        "import huggingface_handler; from huggingface_hub import constants; print(constants.HF_HUB_OFFLINE)",
        tmp_path,
    )
    assert (ran.stdout, ran.returncode) == ("True\n", 0), ran.stderr


def test_the_readme_has_every_setting_with_its_default_and_its_meaning() -> None:
    from hf_handler.settings import Settings

    readme = (HANDLERS / "README.md").read_text()
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \| (.+) \|$", readme.partition("## Set it")[2], flags=re.MULTILINE
    )
    words = {True: "true", False: "false", None: "none"}
    unset = Settings()
    expected = []
    for one in dataclasses.fields(Settings):
        value = getattr(unset, one.name)
        default = words[value] if value is None or isinstance(value, bool) else str(value)
        expected.append((one.name, one.metadata["default"] or default, one.metadata["description"]))
    assert rows == expected


def test_attention_is_not_cudnn_s(tmp_path: Path, transformers: Any) -> None:
    import torch

    torch.backends.cuda.enable_cudnn_sdp(True)
    save_bert(transformers, tmp_path)
    write_manifest(tmp_path)
    load(tmp_path)
    assert not torch.backends.cuda.cudnn_sdp_enabled()
