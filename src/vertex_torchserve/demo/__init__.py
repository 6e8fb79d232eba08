"""The whole way in one go, on one machine: from a model folder to predictions of a registered version."""

from vertex_torchserve.demo.run import STEPS, Summary, run_demo

__all__ = ["STEPS", "Summary", "run_demo"]
