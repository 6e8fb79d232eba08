"""Write a report's files, and refuse a place where they can't be written before anything is served."""

from pathlib import Path

from vertex_torchserve.errors import Problem, raise_problems
from vertex_torchserve.smoke_test.rendering.html_page import html_page, require_packages
from vertex_torchserve.smoke_test.rendering.junit import junit_xml
from vertex_torchserve.smoke_test.report import SmokeTestReport
from vertex_torchserve.unfinished import written_beside


def require_writable(html: Path | None, junit: Path | None) -> None:
    """Find out whether the files can be written.

    Args:
        html: Where the page goes; None for none.
        junit: Where the JUnit XML goes; None for none.

    Raises:
        InputError: A folder is not there or a path is a folder; or what makes the page is not installed.
    """
    raise_problems([problem for path in (html, junit) if path for problem in _problems(path)])
    if html:
        require_packages()


def write_files(report: SmokeTestReport, html: Path | None, junit: Path | None) -> None:
    """Write them, each beside its place first.

    Args:
        report: What was seen.
        html: Where the page goes; None for none.
        junit: Where the JUnit XML goes; None for none.
    """
    if junit:
        _write(junit, junit_xml(report))
    if html:
        _write(html, html_page(report).encode())


def _problems(path: Path) -> list[Problem]:
    if path.is_dir():
        return [Problem(f"{path} is a folder; the name of a file is needed", "name a file in it")]
    if not path.parent.is_dir():
        return [
            Problem(f"the folder {path.parent} of {path.name} does not exist", "make it, or correct the path")
        ]
    return []


def _write(path: Path, content: bytes) -> None:
    with written_beside(path) as part:
        part.write_bytes(content)
