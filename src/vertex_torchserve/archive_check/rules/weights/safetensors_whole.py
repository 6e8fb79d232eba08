"""Safetensors files that are not what their header says."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def safetensors_whole(subject: Subject) -> Iterator[Finding]:
    """The header of each safetensors file fits its shapes, its types and the file's size.

    The header is read, not the tensors. A file that was cut off on its way says so here.

    Fix: fetch or save the file again.
    """
    for name in sorted(subject.weights(".safetensors")):
        if subject.is_pointer(name):
            continue
        fault = subject.safetensors(name).fault
        if fault is not None:
            yield error(name, fault, "fetch or save the file again")
