"""Faults of the requirements."""

from collections.abc import Callable

from testbed.archive_faults.making import Fault, archive_of


def _requiring(text: str | bytes, **files: str | bytes) -> Callable[[], bytes]:
    return archive_of(files={"requirements.txt": text, **files}, requirementsFile="requirements.txt")


REQUIREMENTS_FAULTS = [
    Fault(
        "requirements-readable",
        "error",
        "requirements.txt:2",
        "line 2, column 6: 'torch=2.0'",
        _requiring("# first\ntorch=2.0\n"),
    ),
    Fault("requirements-readable", "error", "requirements.txt", "is no UTF-8 text", _requiring(b"\xff\xfe")),
    Fault(
        "requirements-keep-torch",
        "error",
        "requirements.txt:1",
        "torch==1.13.1 wants another torch",
        _requiring("torch==1.13.1\n"),
    ),
    Fault(
        "torch-companions-from-its-index",
        "warning",
        "requirements.txt:1",
        "PyPI's torchvision is built for another torch than that of the serving image, 2.13.0+cpu",
        _requiring("torchvision==0.28.0\n"),
    ),
    Fault(
        "requirements-pinned",
        "warning",
        "requirements.txt:2",
        "einops>=0.8: no version is pinned",
        _requiring("numpy\neinops>=0.8\n"),
    ),
    Fault(
        "requirements-from-an-index",
        "warning",
        "requirements.txt:1",
        "git+https://****@example.com/x.git is fetched from its URL at each start, with git, which the "
        "image lacks",
        _requiring("git+https://user:secret@example.com/x.git\n"),
    ),
    Fault(
        "requirements-from-an-index",
        "error",
        "requirements.txt:1",
        "'./p.whl' names a file that is not in",
        _requiring("./p.whl\n"),
    ),
    Fault(
        "requirements-from-an-index",
        "error",
        "requirements.txt:1",
        "'-r more.txt' names a file",
        _requiring("-r more.txt\n"),
    ),
    Fault(
        "requirements-named",
        "warning",
        "requirements.txt",
        "the manifest does not name it",
        archive_of(files={"requirements.txt": "numpy\n"}),
    ),
]
