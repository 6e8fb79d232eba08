"""The lock of vendored wheels: a requirements file that names each by version and SHA-256."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from vertex_torchserve.archive_check.requirement_members import WHEELS


def lock_text(requirements: str, chosen_for: str, wheels: Iterable[Path]) -> str:
    """The lock's text, in pip's own format; its path to the wheels is relative to the lock.

    Args:
        requirements: The name of the file in whose place it is.
        chosen_for: The image or the platform.
        wheels: The files.
    """
    from packaging.utils import parse_wheel_filename

    lines = [
        f"# The wheels that `vertex-torchserve package --vendor-wheels` chose for {requirements} and",
        f"# {chosen_for}. pip installs these and nothing else.",
        "--no-index",
        f"--find-links {WHEELS}",
    ]
    for wheel in sorted(wheels, key=lambda path: path.name):
        name, version, *_ = parse_wheel_filename(wheel.name)
        with wheel.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{name}=={version} --hash=sha256:{sha256}")
    return "\n".join(lines) + "\n"
