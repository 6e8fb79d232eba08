"""Vertex AI: register an archive, deploy it, predict. The only user of google-cloud-aiplatform."""

from vertex_torchserve.vertex_ai.client import connect
from vertex_torchserve.vertex_ai.intended import IntendedVersion, intended_version
from vertex_torchserve.vertex_ai.model_upload import ModelUpload, upload_problems
from vertex_torchserve.vertex_ai.prediction import BatchResult, batch_predict, deploy, predict, undeploy
from vertex_torchserve.vertex_ai.registration import RegisteredModel, register_archive

__all__ = [
    "BatchResult",
    "IntendedVersion",
    "ModelUpload",
    "RegisteredModel",
    "batch_predict",
    "connect",
    "deploy",
    "intended_version",
    "predict",
    "register_archive",
    "undeploy",
    "upload_problems",
]
