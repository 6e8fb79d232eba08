"""Libraries that only some models need."""

from typing import Any


def need(module: str, why: str) -> Any:
    """Import an optional library.

    Raises:
        ValueError: It isn't installed; the message says what to do.
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"{why} takes {module}, which can't be imported ({error}); "
            "fix: name it in the archive's requirements file"
        ) from error
