"""From a trained PyTorch model to a TorchServe archive, proved to serve and registered in Vertex AI.

Importing the package loads no torch, kfp or google module and configures no logging; import the
module of the part you need: `model_archive`, `gcs`, `smoke_test`, `vertex_ai`, `emulator`.
"""

__version__ = "0.1.0"
