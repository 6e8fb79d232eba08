"""A local Vertex AI: a REST subset for the unmodified SDK, beside an emulated Cloud Storage."""

from vertex_torchserve.emulator.lifecycle import Emulator

__all__ = ["Emulator"]
