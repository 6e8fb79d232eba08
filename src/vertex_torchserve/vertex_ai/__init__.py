"""Vertex AI: register an archive, deploy it, predict. The only user of google-cloud-aiplatform."""

from vertex_torchserve.vertex_ai.alias_move import move_alias, versions_before
from vertex_torchserve.vertex_ai.asked_endpoint import AskedEndpoint, Prediction
from vertex_torchserve.vertex_ai.batch_prediction import (
    BatchJob,
    BatchResult,
    follow_batch_job,
    start_batch_job,
)
from vertex_torchserve.vertex_ai.client import connect
from vertex_torchserve.vertex_ai.deployed_version import DeployedVersion, deployments_of
from vertex_torchserve.vertex_ai.deployment import FinishedDeployment, deploy, rollback, undeploy
from vertex_torchserve.vertex_ai.deployment_plan import Deployment, DeploymentPlan, plan_deployment
from vertex_torchserve.vertex_ai.golden_requests import registered_golden_requests
from vertex_torchserve.vertex_ai.intended import IntendedVersion, intended_version
from vertex_torchserve.vertex_ai.machines import Machines
from vertex_torchserve.vertex_ai.model_names import ModelName
from vertex_torchserve.vertex_ai.model_upload import ModelUpload, upload_problems
from vertex_torchserve.vertex_ai.named_resources import find_endpoint, find_model
from vertex_torchserve.vertex_ai.registered_version import (
    ModelPlace,
    RegisteredVersion,
    find_versions,
    model_place,
)
from vertex_torchserve.vertex_ai.registration import UPLOAD_LABEL, RegisteredModel, register_archive
from vertex_torchserve.vertex_ai.registry_listing import listed_models, listed_versions
from vertex_torchserve.vertex_ai.serving_log import log_url

__all__ = [
    "UPLOAD_LABEL",
    "AskedEndpoint",
    "BatchJob",
    "BatchResult",
    "DeployedVersion",
    "Deployment",
    "DeploymentPlan",
    "FinishedDeployment",
    "IntendedVersion",
    "Machines",
    "ModelName",
    "ModelPlace",
    "ModelUpload",
    "Prediction",
    "RegisteredModel",
    "RegisteredVersion",
    "connect",
    "deploy",
    "deployments_of",
    "find_endpoint",
    "find_model",
    "find_versions",
    "follow_batch_job",
    "intended_version",
    "listed_models",
    "listed_versions",
    "log_url",
    "model_place",
    "move_alias",
    "plan_deployment",
    "register_archive",
    "registered_golden_requests",
    "rollback",
    "start_batch_job",
    "undeploy",
    "upload_problems",
    "versions_before",
]
