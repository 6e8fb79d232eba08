"""Libraries whose advice is not for our users."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def errors_only(name: str) -> Iterator[None]:
    """Write nothing but errors of what is logged meanwhile.

    Args:
        name: Of the logger; empty for the root, which some libraries use themselves.
    """
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
