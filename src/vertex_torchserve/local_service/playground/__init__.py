"""A page to try a served model on."""

from vertex_torchserve.local_service.playground.page_server import Playground

__all__ = ["Playground"]
