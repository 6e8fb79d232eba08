"""The jar that is made of TorchServe's own: what the lock keeps of it, the same bytes each time."""

import zipfile
from pathlib import Path

from vertex_torchserve.serving.java_libraries.lock import Kept


def write_kept_jar(source: Path, kept: tuple[Kept, ...], target: Path) -> None:
    """Copy what is kept.

    Args:
        source: TorchServe's own jar.
        kept: What to copy.
        target: The new jar: entries sorted, dated 1980 and not compressed, for zlib's versions differ.
    """
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as jar:
        for name in sorted(whole.namelist()):
            if not name.endswith("/") and any(library.has(name) for library in kept):
                entry = zipfile.ZipInfo(name)  # dated 1980-01-01
                entry.external_attr = 0o644 << 16
                entry.create_system = 3  # Unix, on every machine
                jar.writestr(entry, whole.read(name))
