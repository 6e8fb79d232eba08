"""Whether what is unpacked fits where it is checked."""

import os
import shutil
import tempfile
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, note, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

# A deflated byte stands for 1,032 at most; weights, which are most of an archive, hardly shrink.
_FEW_BYTES = 100 << 20


@rule
def size_fits(subject: Subject) -> Iterator[Finding]:
    """The unpacked files fit on this machine's disk and, once, into its memory.

    The server unpacks the archive to its temporary folder, and each worker holds the weights in memory. A
    smoke test here would fail; a larger machine may serve it.

    Fix: serve it on a machine with more disk or memory, and leave out of the archive what serving does not
    need, such as the optimizer's state and the checkpoints of the training.
    """
    unpacked = sum(subject.view.sizes.values())
    if unpacked < _FEW_BYTES:
        return
    free = shutil.disk_usage(tempfile.gettempdir()).free
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if unpacked > free:
        yield warning(
            subject.view.origin,
            f"takes {unpacked:,} bytes unpacked; {tempfile.gettempdir()} on this machine has {free:,} free, "
            f"and the machine {memory:,} bytes of memory",
            "serve it with a larger disk; set TMPDIR to a folder on one for a smoke test here",
        )
    elif unpacked > memory:
        yield note(
            subject.view.origin,
            f"takes {unpacked:,} bytes unpacked; this machine has {memory:,} bytes of memory",
            "serve it on a machine with more memory: each worker holds the weights once",
        )
