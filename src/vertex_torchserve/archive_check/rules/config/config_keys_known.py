"""Keys that TorchServe would pass over."""

import difflib
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.archive_check.torchserve_config_keys import FLAGS, KNOWN, WHOLE_NUMBERS

_PLAIN = {key.lower(): key for key in KNOWN}
_MOST_KEYS = 1000


@rule
def config_keys_known(subject: Subject) -> Iterator[Finding]:
    """No key of model-config.yaml is nearly one of TorchServe's, and those have values of their type.

    Every other key reaches the handler and is none of TorchServe's business. But `batch_size`, `minworkers`
    or `responseTimeOut` are passed over in silence, and so are a number in quotes and `"true"`.

    Fix: write the key as TorchServe does, and numbers and true or false without quotes.
    """
    name = subject.config_name or ""
    for key, value in list(subject.config.items())[:_MOST_KEYS]:
        if key not in KNOWN:
            meant = _nearly(key)
            if meant:
                yield warning(
                    name,
                    f"{key!r} is no key that TorchServe knows: it is passed over; {meant!r} is one",
                    f"write it as {meant}",
                )
        elif key in WHOLE_NUMBERS and type(value) is not int:
            yield warning(
                name,
                f"{key} is {value!r}, which TorchServe passes over; a whole number is accepted",
                f"write it as a whole number, such as `{key}: 1`",
            )
        elif key in FLAGS and not isinstance(value, bool):
            yield warning(
                name,
                f"{key} is {value!r}, which TorchServe passes over; true or false is accepted",
                f"write `{key}: true` or `{key}: false`",
            )


def _nearly(key: str) -> str | None:
    plain = key.replace("_", "").replace("-", "").lower()
    alike = difflib.get_close_matches(plain, _PLAIN, n=1, cutoff=0.88)
    return _PLAIN[alike[0]] if alike else None
