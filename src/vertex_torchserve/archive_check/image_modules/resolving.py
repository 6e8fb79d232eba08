"""Print, as JSON, what pip would install for a requirements file, in the Python that runs this.

Standard input is a tar of what the archive has of it: the requirements file, named by the first argument,
`wheels/`, and the files that lines name. With the second argument `wheels` the packages are fetched as well,
and what is printed is a tar: `answer.json` and the wheels. It imports nothing but the standard library, so
that any image's Python can run its text.
"""

import importlib.metadata
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_SECONDS = 900
_MOST_LINES = 20
# Kept at the image's version when the server installs requirements (serving/torchserve/requirements.py).
HELD = ("torch", "torchserve")
_REASON = "The conflict is caused by:"
_PIP = (sys.executable, "-m", "pip")
_QUIETLY = ("--no-input", "--no-cache-dir", "--disable-pip-version-check")
# pip's options of where packages come from, which a requirements file may begin with.
_OF_INDEXES = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host")
# The date in wheels that are built here, so that the same source gives the same bytes: zip's earliest.
_BUILT_ON = {"SOURCE_DATE_EPOCH": "315532800"}


def resolve(requirements: str, folder: Path, *, fetches: bool) -> dict[str, Any]:
    """What pip says.

    Args:
        requirements: The file's name in the folder.
        folder: Where everything lies.
        fetches: Whether indexes are asked besides the folder's own wheels; the server asks none when there
            are some.
    """
    report, constraints = folder / "vts-report.json", folder / "vts-constraints.txt"
    held = [each for each in importlib.metadata.distributions() if each.metadata["Name"] in HELD]
    constraints.write_text("".join(f"{each.metadata['Name']}=={each.version}\n" for each in held))
    command = [
        "install", "--dry-run", "--upgrade", "--report", str(report), "--constraint", str(constraints),
        "--requirement", requirements,
    ]  # fmt: skip
    if (folder / "wheels").is_dir():
        command += ["--find-links", "wheels", *([] if fetches else ["--no-index"])]
    errors = errors_of_pip([*_PIP, *command], folder, os.environ)
    install = [] if errors else json.loads(report.read_text())["install"]
    return {
        "errors": errors,
        "install": sorted(f"{each['metadata']['name']}=={each['metadata']['version']}" for each in install),
        "sources": [source_line(each) for each in install],
    }


def fetch(requirements: str, folder: Path, sources: list[str], wheels: Path) -> list[str]:
    """Fetch the very files that pip chose, or build a wheel of one that is none; returns pip's errors."""
    chosen = write_chosen(requirements, folder, sources)
    command = ["wheel", "--no-deps", "--wheel-dir", str(wheels), "--requirement", chosen]
    return errors_of_pip([*_PIP, *command], folder, {**os.environ, **_BUILT_ON})


def write_chosen(requirements: str, folder: Path, sources: Sequence[str]) -> str:
    """Write the files that pip chose as requirements, with the indexes of the file that they are for.

    Args:
        requirements: The name of that file in the folder.
        folder: Where everything lies.
        sources: The lines of the files.

    Returns:
        The path of what is written.
    """
    lines = (folder / requirements).read_text(encoding="utf-8-sig").splitlines()
    options = [line for line in lines if line.startswith(_OF_INDEXES)]
    chosen = folder / "vts-chosen.txt"
    chosen.write_text("\n".join([*options, *sources]) + "\n")
    return str(chosen)


def errors_of_pip(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Run pip in a folder; returns the lines of what went wrong, none when nothing did."""
    answer = subprocess.run(
        [*command, *_QUIETLY],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS,
    )  # fmt: skip
    if answer.returncode == 0:
        return []
    lines = [line for line in answer.stderr.splitlines() if line.startswith("ERROR: ")]
    reason = answer.stdout.partition(_REASON)[2].strip().partition("\n\n")[0]
    lines[1:1] = [line.strip() for line in reason.splitlines()]
    return (lines or answer.stderr.splitlines() or [f"pip ended with code {answer.returncode}"])[:_MOST_LINES]


def source_line(chosen: dict[str, Any]) -> str:
    """The file or the revision that pip chose, as a line of requirements.

    Args:
        chosen: What pip's report says of it.
    """
    info = chosen["download_info"]
    url, fragments = info["url"], []
    if "vcs_info" in info:
        url = f"{info['vcs_info']['vcs']}+{url}@{info['vcs_info']['commit_id']}"
    sha256 = info.get("archive_info", {}).get("hashes", {}).get("sha256")
    if sha256:
        fragments.append(f"sha256={sha256}")
    if "subdirectory" in info:
        fragments.append(f"subdirectory={info['subdirectory']}")
    return f"{chosen['metadata']['name']} @ {url}" + ("#" + "&".join(fragments) if fragments else "")


def main(requirements: str, *, fetches: bool) -> None:
    """Unpack standard input and print the answer."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as wheels:
        folder = Path(name)
        with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
            archive.extractall(folder)  # noqa: S202 (the caller made it of members whose names were checked)
        answer = resolve(requirements, folder, fetches=fetches)
        if not fetches:
            print(json.dumps(answer))  # noqa: T201
            return
        if answer["sources"]:
            answer["errors"] = fetch(requirements, folder, answer["sources"], Path(wheels))
        _deliver(answer, Path(wheels))


def _deliver(answer: dict[str, Any], wheels: Path) -> None:
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as delivered:
        content = json.dumps(answer).encode()
        info = tarfile.TarInfo("answer.json")
        info.size = len(content)
        delivered.addfile(info, io.BytesIO(content))
        for wheel in sorted(wheels.glob("*.whl")):
            delivered.add(wheel, wheel.name)


if __name__ == "__main__":
    main(sys.argv[1], fetches=sys.argv[2:] == ["wheels"])
