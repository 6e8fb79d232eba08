"""The service envelope `instances`, the worker that loads it, and the folder that makes TorchServe run both.

`instances/` and `model_service_worker.py` run inside TorchServe's worker, with whatever Python the model asks
for: they import the standard library and `ts`, never the rest of this package.
"""

from vertex_torchserve.serving.envelope.home import lay_out_home

__all__ = ["lay_out_home"]
