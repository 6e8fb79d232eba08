"""Print, as JSON, what pip would install for a requirements file, in the Python that runs this.

Standard input is a tar of what the archive has of it: the requirements file, named by the first argument,
`wheels/`, and the files that lines name. It imports nothing but the standard library, so that any image's
Python can run its text.
"""

import importlib.metadata
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

_SECONDS = 900
_MOST_LINES = 20
# Kept at the image's version when the server installs requirements (serving/torchserve/requirements.py).
_HELD = ("torch", "torchserve")
_REASON = "The conflict is caused by:"


def resolve(requirements: str, folder: Path) -> dict[str, object]:
    """What pip says.

    Args:
        requirements: The file's name in the folder.
        folder: Where everything lies.
    """
    report, constraints = folder / "vts-report.json", folder / "vts-constraints.txt"
    held = [each for each in importlib.metadata.distributions() if each.metadata["Name"] in _HELD]
    constraints.write_text("".join(f"{each.metadata['Name']}=={each.version}\n" for each in held))
    command = [
        sys.executable, "-m", "pip", "install", "--dry-run", "--no-input", "--no-cache-dir",
        "--disable-pip-version-check", "--upgrade", "--report", str(report), "--constraint", str(constraints),
        "--requirement", requirements,
    ]  # fmt: skip
    if (folder / "wheels").is_dir():
        command += ["--no-index", "--find-links", "wheels"]
    answer = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    lines = [line for line in answer.stderr.splitlines() if line.startswith("ERROR: ")]
    reason = answer.stdout.partition(_REASON)[2].strip().partition("\n\n")[0]
    lines[1:1] = [line.strip() for line in reason.splitlines()]
    install = json.loads(report.read_text())["install"] if answer.returncode == 0 else []
    return {
        "errors": (lines or answer.stderr.splitlines())[:_MOST_LINES] if answer.returncode else [],
        "install": sorted(f"{each['metadata']['name']}=={each['metadata']['version']}" for each in install),
    }


def main(requirements: str) -> None:
    """Unpack standard input and print the answer."""
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
            archive.extractall(name)  # noqa: S202 (the caller made it of members whose names were checked)
        print(json.dumps(resolve(requirements, Path(name))))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
