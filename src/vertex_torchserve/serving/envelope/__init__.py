"""The service envelope `instances`, and how TorchServe finds it without a file of it being changed."""

from vertex_torchserve.serving.envelope.home import lay_out_home

__all__ = ["lay_out_home"]
