"""Collect the files of an archive: each with its name there, and what is wrong with the names."""

import filecmp
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from vertex_torchserve.errors import Problem
from vertex_torchserve.ignore_patterns import is_ignored
from vertex_torchserve.model_archive.extra_files import takes_content
from vertex_torchserve.model_archive.spec import ModelArchiveSpec
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME

_UNWANTED_FOLDERS = {"__MACOSX", "__pycache__"}
_UNWANTED_FILES = (".DS_Store", ".pyc", ".mar")

Members = dict[str, Path]


def collect_members(
    spec: ModelArchiveSpec,
    serialized_file: str | None,
    handler_sources: Mapping[str, Path],
    problems: list[Problem],
) -> Members:
    """Archive name -> source file, for everything but the manifest.

    Args:
        spec: What to package.
        serialized_file: The serialized file, relative to the model folder; no ignore pattern drops it.
        handler_sources: The handler's files by their names; none for one of TorchServe's own.
        problems: What is wrong is added here.
    """
    members: Members = {}
    for name, source in _sources(spec, serialized_file, handler_sources):
        other = members.setdefault(name, source)
        if not _is_one_file(other, source):
            problems.append(
                Problem(
                    f"{other} and {source} would both land on {name!r} in the archive",
                    "rename one of them, or keep the one in the model folder out with an ignore pattern",
                )
            )
    problems.extend(_name_problems(members))
    return members


def _is_one_file(one: Path, other: Path) -> bool:
    """Whether two paths name one file or copies of it: what lies in a bucket is copied for each input."""
    try:
        return one == other or one.samefile(other) or filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _sources(
    spec: ModelArchiveSpec, serialized_file: str | None, handler_sources: Mapping[str, Path]
) -> Iterator[tuple[str, Path]]:
    """Every (archive name, file), in the order in which they are looked at."""
    if serialized_file is not None:
        # The manifest names the serialized file without its folder, as torch-model-archiver does.
        yield Path(serialized_file).name, spec.model_folder / serialized_file
    for name, source in files_below(spec.model_folder):
        if name != serialized_file and not is_ignored(name, spec.ignore):
            yield name, source
    yield from handler_sources.items()
    single_files = (spec.model_file, spec.requirements_file, spec.config_file)
    for file in single_files:
        if file is not None and file.is_file():
            yield file.name, file
    if spec.golden_request is not None and spec.golden_request.is_file():
        yield GOLDEN_REQUEST_NAME, spec.golden_request
    for extra in spec.extra_files:
        path = Path(extra)
        prefix = f"{path.name}/" if path.is_dir() and not takes_content(extra) else ""
        yield from ((prefix + name, source) for name, source in files_below(path))
    if spec.tokenizer is not None:
        yield from files_below(spec.tokenizer)


def files_below(path: Path) -> Iterator[tuple[str, Path]]:
    """Relative name and path of every file below a folder, or of the file itself.

    Links are followed (a hub cache is all links); hidden folders and left-overs stay out, as they do in
    torch-model-archiver.
    """
    if path.is_file():
        yield path.name, path
    seen: set[Path] = set()
    for root, folders, files in os.walk(path, followlinks=True):
        here = Path(root)
        if here.resolve() in seen:
            folders.clear()
            continue
        seen.add(here.resolve())
        folders[:] = sorted(
            name for name in folders if name not in _UNWANTED_FOLDERS and not name.startswith(".")
        )
        for name in sorted(files):
            if not name.endswith(_UNWANTED_FILES) and (here / name).is_file():
                yield (here / name).relative_to(path).as_posix(), here / name


def _name_problems(members: Members) -> Iterator[Problem]:
    for name in sorted(members):
        if name.partition("/")[0] == "MAR-INF":
            yield Problem(
                f"{members[name]} would land in MAR-INF, which is the archive's own",
                "rename the folder, or ignore it",
            )
