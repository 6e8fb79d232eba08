"""What is told a handler at its start: its task, or its author's file, in the archive's model config."""

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.model_archive.handler_source import REFERENCE_HANDLER, Handler
from vertex_torchserve.model_archive.onnx_export.names import INT8_FILE
from vertex_torchserve.model_archive.spec import ModelArchiveSpec
from vertex_torchserve.packaged_files import REFERENCE_HANDLER_PACKAGE, reference_handler
from vertex_torchserve.serving.archive.bounded_text import shortened
from vertex_torchserve.serving.archive.member_names import MODEL_CONFIG_NAME
from vertex_torchserve.serving.archive.model_config import ModelConfig, load_model_config

_REGISTRY = f"{REFERENCE_HANDLER_PACKAGE}/registry.py"
# The handler takes the languages of a translation from the task's name, as transformers' pipelines do.
_PAIR = re.compile(r"translation_[^_]+_to_[^_]+")

_OPTIONS = {"task": "--task", "engine": "--engine", "onnx_file": "--quantize"}


def task_names(registry: Path) -> list[str]:
    """Names and aliases of the reference handler's tasks, sorted: the keys of `TASKS` and `ALIASES`.

    Read from the syntax tree, because importing the handler takes torch.

    Args:
        registry: The handler's module that has both tables.
    """
    tables = {
        node.target.id: node.value
        for node in ast.parse(registry.read_bytes()).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    }
    return sorted(name for table in ("TASKS", "ALIASES") for name in ast.literal_eval(tables[table]))


def handler_settings(spec: ModelArchiveSpec, handler: Handler, problems: list[Problem]) -> Mapping[str, str]:
    """What the model config must say below `handler`; empty when nothing.

    Args:
        spec: What to package.
        handler: Its handler.
        problems: What is wrong with the task is added here.
    """
    wanted = dict(handler.settings)
    if spec.task is not None:
        problems.extend(_task_problems(spec))
        wanted["task"] = spec.task
    if spec.engine is not None:
        wanted["engine"] = spec.engine
    if spec.quantize is not None:
        wanted["onnx_file"] = INT8_FILE
    return wanted


def config_with_settings(
    wanted: Mapping[str, str], config: Path | None, folder: Path, problems: list[Problem]
) -> Path:
    """Write the archive's model config with settings of the handler in it.

    Args:
        wanted: The settings.
        config: The model config that is there already; what it says stays.
        folder: Where to write.
        problems: What is wrong between them and the config is added here.

    Returns:
        The file, named like `config`.
    """
    content: dict[str, Any] = {}
    if config is not None and config.is_file():
        with contextlib.suppress(InputError):  # build.py checks the config itself and reports what is wrong
            content = load_model_config(config, str(config)).content
    settings = content.get("handler") or {}
    if not isinstance(settings, dict):
        problems.append(
            Problem(
                f"{config}: handler is {shortened(repr(settings))}, not a mapping",
                f"write it as `handler: {{{next(iter(wanted))}: ...}}`",
            )
        )
        settings = {}
    for name, value in wanted.items():
        if settings.get(name) not in (None, value):
            option = _OPTIONS.get(name, "--handler")
            problems.append(
                Problem(
                    f"{config} says {name} {shortened(repr(settings[name]))}, {option} says {value!r}",
                    "say it in one place",
                )
            )
    written = folder / (config.name if config is not None else MODEL_CONFIG_NAME)
    merged = {**content, "handler": {**settings, **wanted}}
    written.write_text(ModelConfig(merged, str(config)).written({}), encoding="utf-8")
    return written


def _task_problems(spec: ModelArchiveSpec) -> Iterator[Problem]:
    if spec.handler != REFERENCE_HANDLER:
        yield Problem(
            f"task {spec.task!r} is for the reference handler, the handler is {spec.handler!r}",
            f"use --handler {REFERENCE_HANDLER}, or leave the task out",
        )
        return
    accepted = task_names(reference_handler()[_REGISTRY])
    if spec.task not in accepted and not _PAIR.fullmatch(spec.task or ""):
        yield Problem(
            f"unknown task {spec.task!r}; accepted: {', '.join(accepted)}, translation_en_to_de and the like",
            "give one of these",
        )
