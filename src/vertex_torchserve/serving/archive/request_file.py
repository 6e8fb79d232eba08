"""A file of requests: what a smoke test sends, and what a golden request holds.

    ["an instance", ...]                                            one request
    {"instances": [...], "parameters": {...}, "predictions": [...], "tolerance": 1e-3}
    [{"instances": [...]}, {"instances": [...]}]                    several
    {"model": "bert", "requests": [{"instances": [...]}, ...]}      several, and whose answers they hold

Or JSONL: a line for each instance, which together are one request, or for each request.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.serving.archive.bounded_text import (
    UnreadableError,
    read_json,
    read_start,
    require_size,
    shortened,
)
from vertex_torchserve.serving.archive.prediction_request import FIELDS, PredictionRequest, request_faults

# A request and an answer of 10 MB each, the server's default limits, fit with their line breaks and indents.
MOST_BYTES = 32 << 20
LINE_SUFFIXES = (".jsonl", ".ndjson")
_FIX = (
    'write a JSON list of instances, {"instances": [...], "parameters": {...}}, a list of such requests, or '
    "a .jsonl with one of either a line"
)
_MOST_PROBLEMS = 10


@dataclass(frozen=True)
class RequestFile:
    """What a file holds.

    Attributes:
        requests: At least one.
        model: The name of the model whose answers they hold; empty where the file names none.
    """

    requests: Sequence[PredictionRequest]
    model: str = ""


def read_request_file(path: Path) -> RequestFile:
    """Read a file; a name that ends with `.jsonl` or `.ndjson` makes it one of lines.

    Raises:
        InputError: The file is not there, or with everything that is wrong with it.
    """
    try:
        text = read_start(path, MOST_BYTES)
    except OSError as error:
        reason = (
            "does not exist" if isinstance(error, FileNotFoundError) else f"can't be read: {error.strerror}"
        )
        raise InputError(Problem(f"instances file {str(path)!r} {reason}", "correct the path")) from error
    return parse_request_file(text, str(path), lines=path.suffix in LINE_SUFFIXES)


def request_file_text(content: RequestFile) -> str:
    """The JSON that `parse_request_file` reads back as `content`."""
    requests = [request.fields() for request in content.requests]
    named = {"model": content.model} if content.model else {}
    return json.dumps({**named, "requests": requests}, indent=2) + "\n"


def parse_request_file(text: bytes, name: str, *, lines: bool = False, fix: str = _FIX) -> RequestFile:
    """Read a file's content, or a little more of it than `MOST_BYTES`.

    Args:
        text: The content.
        name: Of the file, in messages.
        lines: Whether it is JSONL.
        fix: What to do about a fault.

    Raises:
        InputError: With everything that is wrong with it, or the limit it is beyond (`bounded_text`).
    """
    try:
        content = _lines(text) if lines else read_json(text, MOST_BYTES)
    except UnreadableError as error:
        raise InputError(Problem(f"{name} {error}", fix)) from error
    model = ""
    if isinstance(content, dict) and "requests" in content:
        problems = [Problem(f"{name}: {fault}", fix) for fault in _envelope_faults(content)]
        raise_problems(problems)
        model, content = content.get("model", ""), content["requests"]
    if isinstance(content, dict):
        found: list[tuple[str, Any]] = [("", content)]
    elif isinstance(content, list) and content:
        found = _found(content, "line" if lines else "request")
    else:
        got = "an empty list" if content == [] else f"a {type(content).__name__}"
        fault = f"{name} holds {got}; a list of instances, or an object with {', '.join(FIELDS)}, is accepted"
        raise InputError(Problem(fault, fix))
    faults = [(where, fault) for where, each in found for fault in _faults(each)]
    raise_problems([Problem(f"{name}{where}: {fault}", fix) for where, fault in faults[:_MOST_PROBLEMS]])
    return RequestFile([PredictionRequest(**request) for _, request in found], model)


def _found(items: list[Any], word: str) -> list[tuple[str, Any]]:
    """The requests of a list, each with its place; a list of instances is one request."""
    if not any(map(_is_request, items)):
        return [("", {"instances": items})]
    return [(f", {word} {number}", item) for number, item in enumerate(items, start=1)]


def _is_request(item: Any) -> bool:
    return isinstance(item, dict) and "instances" in item


def _faults(item: Any) -> list[str]:
    return request_faults(item) if isinstance(item, dict) else ["an instance stands among requests"]


def _envelope_faults(content: dict[str, Any]) -> list[str]:
    faults = [
        f"{shortened(repr(name))} is no field beside requests; model is"
        for name in content
        if name not in ("model", "requests")
    ][:1]
    if not isinstance(content.get("model", ""), str):
        faults.append('"model" must be the name of the model')
    requests = content["requests"]
    if not isinstance(requests, list) or not all(map(_is_request, requests)):
        faults.append('"requests" must be a list of objects with "instances"')
    return faults


def _lines(text: bytes) -> list[Any]:
    require_size(text, MOST_BYTES)
    values: list[Any] = []
    # Split as bytes: str.splitlines also breaks at U+2028, which may stand inside a JSON string.
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                values.append(read_json(line, MOST_BYTES))
            except UnreadableError as error:
                raise UnreadableError(f"in line {number} {error}") from None
    return values
