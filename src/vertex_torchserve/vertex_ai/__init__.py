"""Vertex AI: register an archive, deploy it, predict. The only user of google-cloud-aiplatform."""

from vertex_torchserve.vertex_ai.asked_endpoint import AskedEndpoint, Prediction
from vertex_torchserve.vertex_ai.batch_prediction import (
    BatchJob,
    BatchResult,
    follow_batch_job,
    start_batch_job,
)
from vertex_torchserve.vertex_ai.client import connect
from vertex_torchserve.vertex_ai.deployment import FinishedDeployment, deploy, rollback, undeploy
from vertex_torchserve.vertex_ai.deployment_plan import Deployment, DeploymentPlan, plan_deployment
from vertex_torchserve.vertex_ai.intended import IntendedVersion, intended_version
from vertex_torchserve.vertex_ai.machines import Machines
from vertex_torchserve.vertex_ai.model_upload import ModelUpload, upload_problems
from vertex_torchserve.vertex_ai.named_resources import find_endpoint, find_model
from vertex_torchserve.vertex_ai.registration import RegisteredModel, register_archive
from vertex_torchserve.vertex_ai.registry_listing import ListedVersion, listed_models, listed_versions
from vertex_torchserve.vertex_ai.serving_log import log_url

__all__ = [
    "AskedEndpoint",
    "BatchJob",
    "BatchResult",
    "Deployment",
    "DeploymentPlan",
    "FinishedDeployment",
    "IntendedVersion",
    "ListedVersion",
    "Machines",
    "ModelUpload",
    "Prediction",
    "RegisteredModel",
    "connect",
    "deploy",
    "find_endpoint",
    "find_model",
    "follow_batch_job",
    "intended_version",
    "listed_models",
    "listed_versions",
    "log_url",
    "plan_deployment",
    "register_archive",
    "rollback",
    "start_batch_job",
    "undeploy",
    "upload_problems",
]
