"""Refuse requests that an archive's handler can't answer, before it is served."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

from vertex_torchserve.errors import Problem, raise_problems
from vertex_torchserve.handler_interface.asking import HandlerInterface, UntoldError, ask_handler
from vertex_torchserve.serving.archive.golden_request import packed_golden_requests, require_model
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

_MOST_PROBLEMS = 10
_SHOWN_CHARACTERS = 80


def require_answerable(mar_path: Path, requests: Sequence[PredictionRequest], name: str) -> None:
    """Refuse requests of another task: instances, parameters and recorded predictions that can't be its own.

    Does nothing for an archive with another handler than the reference handler, which alone tells what it
    takes.

    Args:
        mar_path: An archive that `read_manifest` accepts.
        requests: What it is to be asked.
        name: Of the file that holds them, in messages.

    Raises:
        InputError: With each request that can't be used.
    """
    # A handler that can't tell its task fails when it is served, and says why there.
    with contextlib.suppress(UntoldError):
        told = ask_handler(mar_path, requests)
        if told is not None:
            raise_problems(
                [Problem(f"{name}: {fault}", _fix(told)) for fault in told.faults[:_MOST_PROBLEMS]]
            )


def usable_golden_requests(mar_path: Path, model_name: str) -> Sequence[PredictionRequest] | None:
    """The golden requests of an archive; None when it has none.

    Args:
        mar_path: An archive that `read_manifest` accepts.
        model_name: The name in its manifest.

    Raises:
        InputError: With everything that is wrong with the file; it is of another model or of another task.
    """
    golden = packed_golden_requests(mar_path)
    if golden is None:
        return None
    require_model(golden, model_name, GOLDEN_REQUEST_NAME)
    require_answerable(mar_path, golden.requests, GOLDEN_REQUEST_NAME)
    return golden.requests


def _fix(told: HandlerInterface) -> str:
    example = json.dumps(told.example)
    such = (
        f" such as {example}" if len(example) <= _SHOWN_CHARACTERS else ", as handlers/README.md shows them"
    )
    return f"this archive's task is {told.task}: give instances{such}"
