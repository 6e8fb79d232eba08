"""Install a requirements file beside the torch that is there: the one step of a derived image's Dockerfile.

    python3 -I install.py requirements.txt

The base image's Python runs it as root, in the folder of the requirements. It imports nothing but the
standard library. torch and torchserve stay; what has a binary part that belongs to torch is taken from the
index that the torch comes from, and loaded once, because a wheel for another torch installs and then fails in
the worker.
"""

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_HELD = ("torch", "torchserve")
# -I: nothing in the folder of the requirements runs in the place of pip.
_PIP = (sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input")
# A secret of the build lies here.
_PIP_CONFIG = Path("/run/secrets/pip.conf")
# What pip's log has of a package's page that an index didn't give; the password in the address is stars.
_UNREAD = re.compile(r"Could not fetch URL (\S+/)[^/\s]+/: (?:(\d{3}) )?(.*?)(?: for url: \S+)? - skipping")


def main(requirements: str) -> int:
    """Install, prove what was installed, and return the exit code."""
    before = _versions()
    held = {name: before[name] for name in _HELD if name in before}
    complaints = set(_complaints())
    if _install(requirements, held, os.environ.get("TORCH_INDEX_URL")):
        return 1
    after = _versions()
    new = [name for name, version in after.items() if before.get(name) != version]
    faults = [
        f"{name} {version} was replaced by {after.get(name)}; it has to stay"
        for name, version in held.items()
        if after.get(name) != version
    ]
    faults += [f"{line}; the image needs both" for line in _complaints() if line not in complaints]
    faults += _not_loading(new, held.get("torch", ""))
    for fault in faults:
        print(f"ERROR: {fault}", file=sys.stderr)  # noqa: T201
    return 1 if faults else 0


def _install(requirements: str, held: dict[str, str], index: str | None) -> int:
    with tempfile.TemporaryDirectory() as name:
        constraints, log = Path(name, "constraints.txt"), Path(name, "pip.log")
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in held.items()))
        options = ["--constraint", str(constraints), "--log", str(log)]
        if index:
            options += ["--extra-index-url", index]
        if Path("wheels").is_dir():
            options += ["--find-links", "wheels"]
        settings = {"PIP_CONFIG_FILE": str(_PIP_CONFIG)} if _PIP_CONFIG.exists() else {}
        command = [*_PIP, "install", *options, "--requirement", requirements]
        code = subprocess.run(command, check=False, env={**os.environ, **settings}).returncode
        if code:
            for reason in _reasons(log.read_text(errors="replace")):
                print(f"ERROR: {reason}", file=sys.stderr)  # noqa: T201
        return code


def _reasons(log: str) -> Iterator[str]:
    """Why pip found nothing: of an index that refuses it, it says nothing but in its log."""
    if os.environ.get("PIP_NO_INDEX"):
        yield (
            "the build has no network: put what is to be installed into the folder `wheels` beside the "
            "requirements"
        )
    for index, status, said in dict.fromkeys(_UNREAD.findall(log)):
        if status in {"401", "403"}:
            yield (
                f"{index} answers {status}: name or password of --pip-config are missing or wrong, an access "
                "token of Google's is older than an hour, or the account may not read (on Artifact Registry "
                "it needs roles/artifactregistry.reader)"
            )
        elif status != "404":
            yield f"{index} could not be read: {status} {said}"


def _versions() -> dict[str, str]:
    importlib.invalidate_caches()
    return {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}


def _complaints() -> list[str]:
    """What pip says of packages that lack another, or have a wrong version of it."""
    answer = subprocess.run([*_PIP, "check"], check=False, stdout=subprocess.PIPE, text=True)
    return answer.stdout.splitlines() if answer.returncode else []


def _not_loading(names: list[str], torch: str) -> Iterator[str]:
    """What needs torch, has a binary part, and can't be imported."""
    for name in names:
        package = importlib.metadata.distribution(name)
        needs_torch = any(line.partition(" ")[0].startswith("torch") for line in package.requires or ())
        files = [file for file in package.files or () if file.suffix == ".so"]
        if not needs_torch or not files:
            continue
        for module in sorted({file.parts[0] for file in files if file.parts[0].isidentifier()}):
            answer = subprocess.run(
                [sys.executable, "-I", "-c", f"import {module}"], check=False, capture_output=True, text=True
            )
            if answer.returncode != 0:
                reason = (answer.stderr.strip().splitlines() or [f"code {answer.returncode}"])[-1]
                yield (
                    f"{name} {package.version} can't be imported beside torch {torch}: {reason}; it was "
                    "built for another torch: name the index that has it (--build-arg TORCH_INDEX_URL=...), "
                    "or put its wheel into the folder `wheels` beside the requirements"
                )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
