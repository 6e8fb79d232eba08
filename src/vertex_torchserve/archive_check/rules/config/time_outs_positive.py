"""Time-outs that are replaced in silence."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def time_outs_positive(subject: Subject) -> Iterator[Finding]:
    """`responseTimeout` and `startupTimeout` are whole seconds, at least 1.

    TorchServe takes 120 seconds in place of 0, of a negative number, and of `600s` or `10.5`; this project's
    server takes its own limits.

    Fix: write a whole number of seconds, or leave the key out.
    """
    for key in ("responseTimeout", "startupTimeout"):
        value = subject.config.get(key)
        if value is not None and not (type(value) is int and value > 0):
            yield warning(
                subject.config_name or "",
                f"{key} is {value!r}: TorchServe takes 120 seconds in its place",
                "write a whole number of seconds, at least 1, or leave it out",
            )
