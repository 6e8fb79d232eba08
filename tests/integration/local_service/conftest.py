"""The reference handler's package, imported by its bare name as in an archive."""

from tests.unit.handlers.conftest import handler_path

__all__ = ["handler_path"]
