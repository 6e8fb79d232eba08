"""Deploy a model version as planned, take one back, take models down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from google.cloud import aiplatform
from google.cloud.aiplatform_v1.types import DeployedModel

from vertex_torchserve.errors import InputError, Problem, RegistryError, VertexTorchServeError
from vertex_torchserve.vertex_ai.asked_deployed_model import AskedDeployedModel
from vertex_torchserve.vertex_ai.asked_endpoint import AskedEndpoint
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.deployment_plan import DeploymentPlan
from vertex_torchserve.vertex_ai.golden_requests import ask_golden_requests
from vertex_torchserve.vertex_ai.named_resources import find_endpoint
from vertex_torchserve.vertex_ai.serving_log import log_filter
from vertex_torchserve.vertex_ai.traffic import THIS_MODEL, with_share, without

# What a version gets of a used endpoint's traffic, in percent, while it is asked its golden requests. Less
# would take more tries: Google has no address of one deployed model.
_TRIAL_SHARE = 5

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class FinishedDeployment:
    """A version on an endpoint.

    Attributes:
        endpoint: Resource name.
        deployed_model_id: On the endpoint.
        traffic: Percentage by deployed model id.
        golden_requests: How many were asked through the endpoint and answered right.
    """

    endpoint: str
    deployed_model_id: str
    traffic: Mapping[str, int]
    golden_requests: int


def deploy(plan: DeploymentPlan, on_step: OnStep = lambda _: None) -> FinishedDeployment:
    """Deploy a version, ask it its golden requests through the endpoint, and only then move the traffic.

    On an endpoint that others use it first gets 5 % of the traffic, or what it is to have if that is less. An
    answer that is not as expected gives the traffic back and takes away what this call made. A version that
    is there already is not deployed again: its traffic changes.

    Args:
        plan: What will happen.
        on_step: Called with what is done next.

    Raises:
        ServingError: A golden request is not answered as expected.
        RegistryError: When Vertex AI refuses, or the model does not become ready.
    """
    with explained(f"deploy {plan.model}"):
        connect(plan.deployment.project, plan.deployment.location)
        if plan.endpoint is None:
            on_step(f"make the endpoint {plan.endpoint_display_name}")
            endpoint = aiplatform.Endpoint.create(
                display_name=plan.endpoint_display_name,
                dedicated_endpoint_enabled=plan.deployment.dedicated_endpoint,
            )
        else:
            endpoint = aiplatform.Endpoint(plan.endpoint)
    made: list[str] = []
    try:
        with explained(f"deploy {plan.model} to {endpoint.resource_name}"):
            return _deploy(plan, endpoint, made, on_step)
    except VertexTorchServeError as error:
        on_step("take back what was begun")
        state = _taken_back(plan, endpoint, made)
        message = f"{error.message}\n{state}\nCloud Logging has the log: {log_filter(endpoint.name)}"
        raise RegistryError(message, error.fix) from error


def rollback(
    project: str, location: str, endpoint_name: str, on_step: OnStep = lambda _: None
) -> FinishedDeployment:
    """Take away the model that was deployed last; its traffic goes to the others in proportion.

    When no other has traffic, all goes to the one that was deployed before it.

    Args:
        project: Google Cloud project id.
        location: Vertex AI region.
        endpoint_name: Resource name, id or display name.
        on_step: Called with what is done next.

    Raises:
        InputError: There is no such endpoint, or nothing to go back to.
        RegistryError: When Vertex AI refuses or fails.
    """
    with explained(f"roll back {endpoint_name}"):
        connect(project, location)
        endpoint = find_endpoint(endpoint_name)
        deployed = sorted(endpoint.gca_resource.deployed_models, key=lambda each: each.create_time)
        if len(deployed) < 2:
            raise InputError(
                Problem(
                    f"{endpoint.resource_name} has {len(deployed)} deployed models: nothing to go back to",
                    "deploy the version that you want, as `vertex-torchserve deploy MODEL@VERSION`",
                )
            )
        last, before = deployed[-1], deployed[-2]
        split = without(dict(endpoint.traffic_split), last.id, before.id)
        on_step(f"give the traffic of version {last.model_version_id} back")
        _move_traffic(endpoint, split)
        on_step(f"undeploy version {last.model_version_id}")
        _undeploy(endpoint, last.id)
    return FinishedDeployment(endpoint.resource_name, before.id, split, 0)


def undeploy(
    project: str,
    location: str,
    endpoint_name: str,
    version: str | None = None,
    *,
    delete_endpoint: bool = False,
    on_step: OnStep = lambda _: None,
) -> tuple[str, list[str]]:
    """Take models down from an endpoint; what stays shares the traffic as before.

    Args:
        project: Google Cloud project id.
        location: Vertex AI region.
        endpoint_name: Resource name, id or display name.
        version: Of the model, or the id of a deployed model; every model when None.
        delete_endpoint: Delete the endpoint when nothing is left on it.
        on_step: Called with what is done next.

    Returns:
        The endpoint's resource name, and the ids of the deployed models that were taken down.

    Raises:
        InputError: There is no such endpoint or version.
        RegistryError: When Vertex AI refuses or fails.
    """
    with explained(f"undeploy from {endpoint_name}"):
        connect(project, location)
        endpoint = find_endpoint(endpoint_name)
        deployed = list(endpoint.gca_resource.deployed_models)
        gone = [each for each in deployed if version in (None, each.id, each.model_version_id)]
        if version is not None and not gone:
            there = ", ".join(f"version {each.model_version_id} ({each.id})" for each in deployed)
            raise InputError(
                Problem(
                    f"{endpoint.resource_name} has no version or deployed model {version!r}; it has "
                    f"{there or 'none'}",
                    "give one of these with --version",
                )
            )
        split = dict(endpoint.traffic_split)
        for each in gone:
            split = without(split, each.id)
        if split and split != dict(endpoint.traffic_split):
            on_step("move the traffic to what stays")
            _move_traffic(endpoint, split)
        for each in gone:
            on_step(f"undeploy version {each.model_version_id}")
            _undeploy(endpoint, each.id)
        if delete_endpoint and len(gone) == len(deployed):
            on_step("delete the endpoint")
            endpoint.delete()
    return endpoint.resource_name, [each.id for each in gone]


def _deploy(
    plan: DeploymentPlan, endpoint: aiplatform.Endpoint, made: list[str], on_step: OnStep
) -> FinishedDeployment:
    wanted, shared = plan.intended_split, any(plan.split.values())
    deployed_id = plan.deployed_model_id
    if deployed_id is None:
        on_step(
            f"start {plan.model_display_name} and wait until it is ready; this takes minutes on Vertex AI"
        )
        share = (
            min(_TRIAL_SHARE, plan.deployment.traffic) if plan.golden_requests else plan.deployment.traffic
        )
        first = with_share(plan.split, THIS_MODEL, share if shared else 100)
        operation = endpoint.api_client.deploy_model(
            endpoint=endpoint.resource_name, deployed_model=deployed_model(plan), traffic_split=first
        )
        deployed_id = operation.result(timeout=None).deployed_model.id
        made.append(deployed_id)
        current = _named(first, deployed_id)
    else:
        current = dict(plan.split)
        if plan.golden_requests and not current.get(deployed_id):
            current = with_share(current, deployed_id, min(_TRIAL_SHARE, plan.deployment.traffic))
            _move_traffic(endpoint, current)
    if plan.golden_requests:
        count = len(plan.golden_requests)
        on_step(f"golden requests through the endpoint: {count}")
        ask_golden_requests(AskedDeployedModel(AskedEndpoint(endpoint), deployed_id), plan.golden_requests)
    wanted = _named(wanted, deployed_id)
    if wanted != current:
        on_step("move the traffic")
        _move_traffic(endpoint, wanted)
    return FinishedDeployment(endpoint.resource_name, deployed_id, wanted, len(plan.golden_requests))


def _taken_back(plan: DeploymentPlan, endpoint: aiplatform.Endpoint, made: Sequence[str]) -> str:
    """Undo what was begun; says what was done, or how to do the rest."""
    name = endpoint.resource_name
    try:
        with explained(f"take back what was begun on {name}"):
            if plan.endpoint is None:
                endpoint.delete(force=True)
                return f"The endpoint {name} that was made for it is deleted."
            if plan.split:
                _move_traffic(endpoint, plan.split)
            for deployed_id in made:
                _undeploy(endpoint, deployed_id)
    except VertexTorchServeError as error:
        place = f"--project {plan.deployment.project} --location {plan.deployment.location}"
        return f"{error.message}; do it with `vertex-torchserve undeploy {name} --version VERSION {place}`."
    return f"The traffic of {name} is as it was, and what was deployed is taken away."


def deployed_model(plan: DeploymentPlan) -> DeployedModel:
    """What Vertex AI is asked to deploy."""
    deployment = plan.deployment
    return DeployedModel(
        model=plan.model,
        display_name=plan.model_display_name,
        dedicated_resources=deployment.machines.dedicated_resources(),
        service_account=deployment.service_account or "",
        enable_access_logging=deployment.access_logging,
    )


def _named(split: Mapping[str, int], deployed_id: str) -> dict[str, int]:
    return {deployed_id if key == THIS_MODEL else key: part for key, part in split.items()}


def _move_traffic(endpoint: aiplatform.Endpoint, split: Mapping[str, int]) -> None:
    endpoint.update(traffic_split=dict(split))


def _undeploy(endpoint: aiplatform.Endpoint, deployed_id: str) -> None:
    operation = endpoint.api_client.undeploy_model(
        endpoint=endpoint.resource_name, deployed_model_id=deployed_id, traffic_split={}
    )
    operation.result(timeout=None)
