"""Libraries that only some models or settings need, and an image may lack."""

import importlib
from typing import Any


def need(module: str, why: str) -> Any:
    """Import an optional library.

    Args:
        module: Its name, as it is imported.
        why: What needs it; the message begins with it.

    Returns:
        The module.

    Raises:
        ValueError: It can't be imported; the message says what to do.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"{why} takes {module}, which can't be imported ({error}); "
            "fix: name it in the archive's requirements file"
        ) from error


def found(module: str) -> Any:
    """Import a library that only makes something faster; None where it isn't here.

    Args:
        module: Its name, as it is imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
