"""The golden request: what a model must answer before it is called ready (`golden-request.json`).

An archive may hold one at its root, or several: request_file.py says in which forms. With `predictions` the
answer is compared with them; without, it must be as many predictions as instances.
"""

import zipfile
from pathlib import Path
from typing import IO

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.bounded_text import read_start
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.archive.request_file import MOST_BYTES, RequestFile, parse_request_file

_FIX = f"correct {GOLDEN_REQUEST_NAME} and package the model again"


def parse_golden_request(text: bytes) -> RequestFile:
    """Read the content of an archive's `golden-request.json`.

    Raises:
        InputError: With everything that is wrong with it, or the limit it is beyond (`bounded_text`).
    """
    return parse_request_file(text, GOLDEN_REQUEST_NAME, fix=_FIX)


def read_golden_requests(model_folder: Path, model_name: str) -> list[PredictionRequest]:
    """The golden requests of an unpacked archive; none when it has none.

    Args:
        model_folder: The archive, unpacked.
        model_name: The name in its manifest.

    Raises:
        InputError: With everything that is wrong with the file; it holds the answers of another model.
    """
    file = model_folder / GOLDEN_REQUEST_NAME
    if not file.is_file():
        return []
    golden = parse_golden_request(read_start(file, MOST_BYTES))
    require_model(golden, model_name, GOLDEN_REQUEST_NAME)
    return list(golden.requests)


def packed_golden_requests(mar: Path | IO[bytes]) -> RequestFile | None:
    """The golden requests of a `.mar`; None when it has none.

    Args:
        mar: The archive, or an open file of it.

    Raises:
        InputError: With everything that is wrong with the file.
    """
    with zipfile.ZipFile(mar) as archive:
        if GOLDEN_REQUEST_NAME not in archive.namelist():
            return None
        with archive.open(GOLDEN_REQUEST_NAME) as member:
            return parse_golden_request(member.read(MOST_BYTES + 1))


def require_model(golden: RequestFile, model_name: str, name: str) -> None:
    """Refuse the answers of another model.

    Args:
        golden: The file's content.
        model_name: The model that is to answer.
        name: Of the file, in the message.

    Raises:
        InputError: The file names another model.
    """
    if golden.model and golden.model != model_name:
        raise InputError(
            Problem(
                f"{name} holds the answers of the model {golden.model!r}; this one is {model_name!r}",
                'record the answers of this model, or remove "model" from the file',
            )
        )
