"""A golden request that is given as JSONL, written as the JSON that an archive holds."""

from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.archive.request_file import read_request_file, request_file_text


def golden_file_of_lines(source: Path, folder: Path, problems: list[Problem]) -> Path:
    """Write `golden-request.json` from a file of lines.

    Args:
        source: A `.jsonl`, of instances or of requests.
        folder: Where it is written.
        problems: What is wrong with the lines is added here; then what is written is the source as it is.
    """
    target = folder / GOLDEN_REQUEST_NAME
    try:
        target.write_text(request_file_text(read_request_file(source)))
    except InputError as error:
        problems.extend(error.problems)
        return source
    return target
