"""Counts of workers that don't count."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def workers_whole(subject: Subject) -> Iterator[Finding]:
    """`minWorkers` and `maxWorkers` are both there, at least 1, and the second is not less than the first.

    TorchServe takes notice of them only together. Half of them is passed over in silence, and the server
    decides by the machine's cores and GPUs.

    Fix: give both, or none.
    """
    least, most = subject.config.get("minWorkers"), subject.config.get("maxWorkers")
    if least is None and most is None:
        return
    numbers = [value for value in (least, most) if type(value) is int and value > 0]
    if len(numbers) < 2 or numbers[0] > numbers[1]:
        yield warning(
            subject.config_name or "",
            f"minWorkers is {least!r} and maxWorkers is {most!r}: both are passed over",
            "give both, at least 1, maxWorkers not less than minWorkers; or none, and the server decides",
        )
