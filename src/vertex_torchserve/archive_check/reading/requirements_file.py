"""A requirements file, line by line, as pip reads it.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"\s--(hash|config-settings|global-option)\b.*$")
_URL = re.compile(r"(git|hg|svn|bzr)\+|https?://|ftp://|file:", re.IGNORECASE)
_FILE = re.compile(r"\.{0,2}/|\.$|\.\.$|[^\s@]+\.(whl|tar\.gz|zip)(\[.*\])?$", re.IGNORECASE)


class RequirementLine(NamedTuple):
    """One line.

    Attributes:
        number: Counted from 1; of a line that goes on, the first.
        text: The line without its comment.
        name: The package, normalised; None when it is an option, a URL or a file.
        versions: What the version must be, such as `==2.1` or `>=2,<3`; empty: anything.
        url: Where it comes from, when that is said.
        fault: Why pip can't read it, and the column, counted from 1; None when it can.
    """

    number: int
    text: str
    name: str | None = None
    versions: str = ""
    url: str | None = None
    fault: tuple[str, int] | None = None

    @property
    def is_option(self) -> bool:
        """Whether it is an option of pip's, such as `--index-url`."""
        return self.text.startswith("-")

    @property
    def file(self) -> str | None:
        """The file or folder that it names, as it is written; None when it names none."""
        words = self.text.split()
        if self.text.startswith(("-r", "-c", "-e", "--requirement", "--constraint", "--editable")):
            named = re.sub(r"^(-[rce]|--\w+)[\s=]*", "", self.text)
            return None if _URL.match(named) else named.partition("[")[0]
        if self.name is None and self.url is None and not self.is_option and self.fault is None:
            return words[0].partition("[")[0]
        return None


@dataclass(frozen=True)
class RequirementsFile:
    """The lines of a requirements file.

    Attributes:
        member: The file.
        lines: Those that are not empty, in order.
        fault: Why it can't be read at all; None when it can.
    """

    member: str
    lines: tuple[RequirementLine, ...]
    fault: str | None = None

    @classmethod
    def empty(cls) -> "RequirementsFile":
        """No requirements."""
        return cls("requirements.txt", ())

    @classmethod
    def read(cls, member: str, text: bytes) -> "RequirementsFile":
        """Read a file's content."""
        try:
            content = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            return cls(member, (), "is no UTF-8 text")
        return cls(member, tuple(_line(number, line) for number, line in _joined(content)))

    @property
    def names(self) -> set[str]:
        """The packages it names, those of wheels (`./mypkg-1.0-py3-none-any.whl`) among them."""
        wheels = [each.file for each in self.lines if each.file and each.file.endswith(".whl")]
        return {each.name for each in self.lines if each.name} | {
            normalised(PurePosixPath(wheel).name.partition("-")[0]) for wheel in wheels
        }


def normalised(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _joined(content: str) -> list[tuple[int, str]]:
    """The number and text of each line that is not empty, with those that it goes on in."""
    found: list[tuple[int, str]] = []
    start, parts = 0, ""
    for number, raw in enumerate([*content.splitlines(), ""], start=1):
        start = start if parts else number
        if raw.endswith("\\"):
            parts += f"{raw[:-1]} "
            continue
        whole = _COMMENT.sub("", parts + raw).strip()
        parts = ""
        if whole:
            found.append((start, whole))
    return found


def _line(number: int, text: str) -> RequirementLine:
    from packaging.requirements import InvalidRequirement, Requirement

    bare = _OPTION.sub("", text).strip()
    if text.startswith("-"):
        url = re.search(r"(git|hg|svn|bzr)\+\S+", text) if text.startswith(("-e", "--editable")) else None
        return RequirementLine(number, text, url=url[0] if url else None)
    if _URL.match(bare):
        return RequirementLine(number, text, url=bare)
    if _FILE.match(bare.partition(";")[0].strip()):
        return RequirementLine(number, text)
    try:
        read = Requirement(bare)
    except InvalidRequirement as error:
        message, *shown = str(error).splitlines()
        column = shown[-1].find("^") - 3 if shown else 1  # the text and what points at it are indented by 4
        return RequirementLine(number, text, fault=(message, max(column, 1)))
    return RequirementLine(number, text, normalised(read.name), str(read.specifier), read.url)
