"""A handler that was written for another server: its spelling, its file, where that lies in the archive."""

from pathlib import Path
from typing import NamedTuple

from vertex_torchserve.errors import Problem
from vertex_torchserve.packaged_files import ADAPTER_FILES
from vertex_torchserve.serving.archive.member_names import REQUIREMENTS_NAME


class ForeignHandler(NamedTuple):
    """The handler of another server, found.

    Attributes:
        member: Its name in the archive.
        file: The file.
        requirements: What its own server would install with it; None when there is nothing.
    """

    member: str
    file: Path
    requirements: Path | None


def split_foreign(handler: str) -> tuple[str, str]:
    """The kind of a foreign handler and its file; `("", handler)` for any other.

    Args:
        handler: As in `ModelArchiveSpec`, such as `endpoint:handler.py`.
    """
    kind, _, file = handler.partition(":")
    return (kind, file) if kind in ADAPTER_FILES else ("", handler)


def find_foreign_handler(handler: str, model_folder: Path, problems: list[Problem]) -> ForeignHandler | None:
    """Find the file, which is looked for as it is named, then in the model's folder.

    In the model's folder it keeps its place, as in its own server; from elsewhere it goes to the root. A
    `requirements.txt` beside a handler of SageMaker is what SageMaker installs.

    Args:
        handler: As in `ModelArchiveSpec`, of a kind that `split_foreign` knows.
        model_folder: The trained model's folder.
        problems: What is wrong is added here.

    Returns:
        None when a problem was added.
    """
    kind, name = split_foreign(handler)
    file = next((path for path in (Path(name), model_folder / name) if path.is_file()), None)
    if file is None or file.suffix != ".py":
        problems.append(
            Problem(
                f"handler {handler!r} names no Python file that exists, here or in {model_folder}",
                f"name the file: `{kind}:FILE.py`",
            )
        )
        return None
    # Not resolved: in a cache of the Hub each file is a link to elsewhere.
    place, folder = file.absolute(), model_folder.absolute()
    member = place.relative_to(folder).as_posix() if place.is_relative_to(folder) else file.name
    requirements = file.with_name(REQUIREMENTS_NAME)
    found = requirements if kind == "sagemaker" and requirements.is_file() else None
    return ForeignHandler(member, file, found)
