"""Faults of the archive as a file, of its members and its manifest."""

import io
import zipfile

from testbed.archive_faults.making import Fault, archive_of, entry, with_members
from testbed.archives import archive


def _encrypted() -> bytes:
    content = bytearray(archive(files={"secret.txt": b"x"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(signature, 0, content.rindex(b"secret.txt")) + offset] |= 1
    return bytes(content)


def _zipped_folder() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as mar, zipfile.ZipFile(io.BytesIO(archive())) as good:
        for name in good.namelist():
            mar.writestr(f"model/{name}", good.read(name))
    return made.getvalue()


def _of_a_petabyte() -> bytes:
    """An archive whose directory says that a file of it fits no disk."""
    made = io.BytesIO(archive(files={"table.csv": b"a,b"}))
    with zipfile.ZipFile(made, "a") as mar:
        mar.getinfo("table.csv").file_size = 1 << 50
        mar.writestr("notes.txt", "")  # so that the directory is written again
    return made.getvalue()


ARCHIVE_FAULTS = [
    Fault("archive-readable", "error", "model.mar", "is not a zip", lambda: b"no zip"),
    Fault("archive-readable", "error", "model.mar", "is not a zip", lambda: archive()[:-30]),
    Fault("members-unpack", "error", "model.mar", "encrypted files: secret.txt", _encrypted),
    Fault(
        "members-unpack",
        "error",
        "model.mar",
        "neither stored nor deflated: a.txt",
        with_members((entry("a.txt", compression=zipfile.ZIP_LZMA), b"x")),
    ),
    Fault(
        "members-unpack",
        "error",
        "model.mar",
        "names that leave the model folder: ../a.txt",
        with_members((entry("../a.txt"), b"x")),
    ),
    Fault(
        "members-unpack",
        "error",
        "model.mar",
        "several files of one name: a.txt",
        with_members(
            (entry("a.txt"), b"x"),
            (entry("./a.txt"), b"y"),
        ),
    ),
    Fault(
        "members-unpack",
        "error",
        "model.mar",
        "links",
        with_members((entry("a.txt", mode=0o120777), b"/etc")),
    ),
    Fault("manifest-readable", "error", "MAR-INF/MANIFEST.json", "holds model/MAR-INF", _zipped_folder),
    Fault(
        "manifest-readable",
        "error",
        "MAR-INF/MANIFEST.json",
        "is not JSON",
        archive_of(files={"MAR-INF/MANIFEST.json": "{"}),
    ),
    Fault(
        "manifest-names-files",
        "error",
        "MAR-INF/MANIFEST.json",
        "serializedFile 'w.pt', which is not in",
        archive_of(serializedFile="w.pt"),
    ),
    Fault(
        "names-differ-in-more-than-case",
        "warning",
        "Vocab.txt",
        "Vocab.txt, vocab.txt differ",
        archive_of(files={"Vocab.txt": "a", "vocab.txt": "b"}),
    ),
    Fault("size-fits", "warning", "model.mar", "takes 1,125,899,906,84", _of_a_petabyte),
]
