"""What TorchServe's own handlers get in place of an instance.

They are written for a server without an envelope: `image_classifier`, `text_classifier` and the others ask
each row for its `data` or `body`, the body of one request.
"""

from collections.abc import Callable
from typing import Any

_PACKAGE = "ts.torch_handler."
# Takes instances as they are: it makes a tensor of all of them.
_BASE = f"{_PACKAGE}base_handler"


def reads_rows(handle_fn: Callable[..., Any]) -> bool:
    """Whether a handler is, or derives from, one of TorchServe's that ask a row for its body.

    Args:
        handle_fn: The handler's `handle`.
    """
    classes = type(getattr(handle_fn, "__self__", None)).__mro__
    return any(each.__module__.startswith(_PACKAGE) and each.__module__ != _BASE for each in classes)


def as_row(instance: Any) -> dict[str, Any]:
    """The row of a request with that body; an instance that is an object is a row already."""
    return instance if isinstance(instance, dict) else {"body": instance}
