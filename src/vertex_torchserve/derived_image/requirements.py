"""What a derived image is built from: the requirements, the files they name, and the wheels beside them."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vertex_torchserve.archive_check.finding import Severity
from vertex_torchserve.archive_check.image_modules import ImageModules, of_our_images
from vertex_torchserve.archive_check.reading.requirements_file import RequirementLine, RequirementsFile
from vertex_torchserve.archive_check.rule import Rule
from vertex_torchserve.archive_check.rules.requirements.requirements_keep_torch import requirements_keep_torch
from vertex_torchserve.archive_check.rules.requirements.requirements_readable import requirements_readable
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.archive_check.views.folder_view import FilesView
from vertex_torchserve.errors import Problem

_WHEELS = "wheels"
_EDITABLE = ("-e", "--editable")
_MORE_REQUIREMENTS = ("-r", "--requirement", "-c", "--constraint")
# The name under which the rules of archives look for requirements.
_MEMBER = "requirements.txt"


@dataclass(frozen=True)
class RequirementsBeside:
    """A requirements file and what lies beside it.

    Attributes:
        file: The requirements file.
    """

    file: Path

    def problems(self) -> list[Problem]:
        """Why it can't be installed, as far as the files tell it."""
        if not self.file.is_file():
            what = "is a folder" if self.file.is_dir() else "does not exist"
            return [Problem(f"{self.file} {what}; a requirements file is needed", "correct the path")]
        if not any(line.name or line.file or line.url for line in _read(self.file).lines):
            return [Problem(f"{self.file} names nothing to install", "write `NAME==VERSION`, one a line")]
        found = [problem for file in self._files() for problem in _found(requirements_readable, file)]
        return [*found, *self._named_problems()]

    def torch_problems(self, image: ImageModules) -> list[Problem]:
        """The lines that want another torch or torchserve than an image has."""
        files = self._files() if self.file.is_file() else []
        return [problem for file in files for problem in _found(requirements_keep_torch, file, image)]

    def copy_to(self, folder: Path) -> None:
        """Copy the files into a folder, each to its place beside the requirements file."""
        named = [path for _, _, path in self._named()]
        wheels = self.file.parent / _WHEELS
        for path in {*self._files(), *named, *([wheels] if wheels.is_dir() else [])}:
            target = folder / path.relative_to(self.file.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(path, target)

    def _files(self) -> list[Path]:
        """The requirements file, and those that it names (`-r`, `-c`), directly or through others."""
        waiting, found = [self.file], list[Path]()
        while waiting:
            file = waiting.pop()
            if file in found:
                continue
            found.append(file)
            for line in _read(file).lines:
                if line.file and line.text.startswith(_MORE_REQUIREMENTS):
                    named = file.parent / line.file
                    waiting += [named] if named.is_file() and self._holds(named) else []
        return found

    def _named(self) -> Iterator[tuple[Path, RequirementLine, Path]]:
        """The files and folders that lines name: the file of the line, the line, what it names."""
        for file in self._files():
            for line in _read(file).lines:
                if line.file:
                    # pip takes those of `-r` from the folder of the file, others from the folder it runs in.
                    by_file = line.text.startswith(_MORE_REQUIREMENTS)
                    yield file, line, (file.parent if by_file else self.file.parent) / line.file

    def _named_problems(self) -> Iterator[Problem]:
        for file, line, path in self._named():
            where = f"{file}:{line.number}"
            if line.text.startswith(_EDITABLE):
                yield Problem(
                    f"{where}: {line.text} installs a link to a folder that is not in the image",
                    f"write `{line.file}`",
                )
            elif not self._holds(path):
                yield Problem(
                    f"{where}: {line.text} names a file outside of {self.file.parent}, from which the image "
                    "is built",
                    "copy it beside the requirements, and write its name there",
                )
            elif not path.exists():
                yield Problem(f"{where}: {path} does not exist", "correct the path, or copy the file there")

    def _holds(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.file.parent.resolve())


def _read(file: Path) -> RequirementsFile:
    return RequirementsFile.read(file.name, file.read_bytes())


def _found(rule: Rule, file: Path, image: ImageModules | None = None) -> Iterator[Problem]:
    """What a rule for archives finds in a requirements file."""
    view = FilesView(str(file.parent), {_MEMBER: file})
    for finding in rule.check(Subject(view, image or of_our_images(), is_archive=False)):
        if finding.severity is Severity.ERROR:
            yield Problem(f"{finding.where.replace(_MEMBER, str(file), 1)}: {finding.message}", finding.fix)
