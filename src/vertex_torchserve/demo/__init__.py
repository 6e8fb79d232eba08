"""From a model folder to the predictions of a registered version, on one machine and in one command."""

from vertex_torchserve.demo.run import STEPS, Summary, run_demo

__all__ = ["STEPS", "Summary", "run_demo"]
