"""What deploying a model version will do and take, found out without changing anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.cloud import aiplatform

from vertex_torchserve.errors import InputError, Problem, VertexTorchServeError, raise_problems
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.golden_requests import registered_golden_requests
from vertex_torchserve.vertex_ai.machines import Machines
from vertex_torchserve.vertex_ai.model_names import model_region_problems
from vertex_torchserve.vertex_ai.named_resources import endpoints_called, find_endpoint, find_model
from vertex_torchserve.vertex_ai.place import place_problems
from vertex_torchserve.vertex_ai.traffic import THIS_MODEL, WHOLE, with_share


@dataclass(frozen=True)
class Deployment:
    """A deployment that is wanted.

    Attributes:
        project: Google Cloud project id.
        location: Vertex AI region.
        model: Resource name, id or display name; `@VERSION` or `@ALIAS` may follow.
        endpoint: Resource name, id or display name of one that is there; when None the one that is called as
            the model is, and a new one when there is none.
        traffic: Percentage of the endpoint's traffic that the version gets.
        machines: What it runs on.
        service_account: That the container runs as; Vertex AI's own when None.
        dedicated_endpoint: Whether a new endpoint gets a host of its own, with 10 MB, 10 minutes and streams.
        access_logging: Whether each request is logged.
    """

    project: str
    location: str
    model: str
    endpoint: str | None = None
    traffic: int = WHOLE
    machines: Machines = field(default_factory=Machines)
    service_account: str | None = None
    dedicated_endpoint: bool = False
    access_logging: bool = False

    def problems(self) -> list[Problem]:
        """Everything that is wrong with it, without asking Google."""
        share = Problem(f"traffic {self.traffic}: 0 to 100 percent are accepted", "correct --traffic")
        return [
            *place_problems(self.project, self.location),
            *model_region_problems(self.model, self.location),
            *([] if 0 <= self.traffic <= WHOLE else [share]),
            *self.machines.problems(),
        ]


@dataclass(frozen=True)
class DeploymentPlan:
    """What will happen.

    Attributes:
        deployment: What was asked for.
        model: The version, `projects/.../models/ID@VERSION`.
        model_display_name: Of the model.
        endpoint: The endpoint's resource name; None when one will be made.
        endpoint_display_name: Of the endpoint.
        deployed_model_id: Set when the version is deployed there already: only its traffic changes.
        split: Percentage by deployed model id, before.
        versions: Version id by deployed model id.
        time_out_seconds: How long Vertex AI waits for the model, where the version says so.
        golden_requests: What it is asked through the endpoint before it gets its traffic.
        golden_note: Why there are none.
    """

    deployment: Deployment
    model: str
    model_display_name: str
    endpoint: str | None
    endpoint_display_name: str
    deployed_model_id: str | None
    split: Mapping[str, int]
    versions: Mapping[str, str]
    time_out_seconds: float | None
    golden_requests: Sequence[PredictionRequest]
    golden_note: str

    @property
    def intended_split(self) -> dict[str, int]:
        """Percentage by deployed model id, in the end; `THIS_MODEL` is one that isn't deployed yet."""
        return with_share(self.split, self.deployed_model_id or THIS_MODEL, self.deployment.traffic)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        machines = self.deployment.machines
        return {
            "model": self.model,
            "endpoint": self.endpoint,
            "endpoint_display_name": self.endpoint_display_name,
            "already_deployed": self.deployed_model_id is not None,
            "machines": machines.in_words(),
            "quotas": {} if self.deployed_model_id else machines.quotas(),
            "traffic": self.shares(self.intended_split),
            "deployment_timeout_seconds": self.time_out_seconds,
            "golden_requests": len(self.golden_requests),
        }

    def shares(self, split: Mapping[str, int]) -> dict[str, int]:
        """Percentages by version; the models of one version count together."""
        shares: dict[str, int] = {}
        for key, part in split.items():
            version = self.model.rpartition("@")[2] if key == THIS_MODEL else self.versions.get(key, key)
            shares[version] = shares.get(version, 0) + part
        return shares

    def in_words(self) -> list[tuple[str, str]]:
        """Rows of a table: what, and what of it."""
        deployment = self.deployment
        where = f"the endpoint {self.endpoint_display_name} ({self.endpoint})"
        if self.endpoint is None:
            kind = "dedicated endpoint" if deployment.dedicated_endpoint else "endpoint"
            where = f"a new {kind} {self.endpoint_display_name} in {deployment.location}"
        quotas = " and ".join(f"{much} of {name}" for name, much in deployment.machines.quotas().items())
        timeout = "Vertex AI's own: the version sets none" if self.time_out_seconds is None else None
        machines = [
            ("machines", deployment.machines.in_words()),
            ("quota", f"{quotas or 'that of the machine'}, charged for the most replicas"),
            ("time-out", timeout or f"{self.time_out_seconds:g} s to become ready"),
        ]
        if self.deployed_model_id:
            machines = [
                ("machines", f"those of deployed model {self.deployed_model_id}, which it has already")
            ]
        traffic = [f"{part} % to version {name}" for name, part in self.shares(self.intended_split).items()]
        asked = f"{len(self.golden_requests)} are asked through the endpoint before the traffic moves"
        return [
            ("deploy", f"{self.model_display_name} ({self.model})"),
            ("to", where),
            *machines,
            ("traffic", ", ".join(traffic)),
            ("golden requests", self.golden_note or asked),
        ]


def plan_deployment(deployment: Deployment) -> DeploymentPlan:
    """What `deploy` with this will do; only reads.

    Raises:
        InputError: With everything that is wrong with it; there is no such model or endpoint.
        RegistryError: When Vertex AI refuses or fails.
    """
    raise_problems(deployment.problems())
    with explained(f"look for {deployment.model!r}"):
        connect(deployment.project, deployment.location)
        model = find_model(deployment.model)
        endpoint = _endpoint_for(deployment, model.display_name)
        resource = endpoint.gca_resource if endpoint else None
        deployed = list(resource.deployed_models) if resource else []
    version = f"{model.resource_name}@{model.version_id}"
    own_id = next((each.id for each in deployed if f"{each.model}@{each.model_version_id}" == version), None)
    split = dict(resource.traffic_split) if resource else {}
    if deployment.traffic < WHOLE and not any(part for key, part in split.items() if key != own_id):
        raise InputError(
            Problem(
                f"traffic {deployment.traffic} for the only model of the endpoint, which gets 100 %",
                "leave out --traffic, or name with --endpoint where another model has the rest",
            )
        )
    timeout = model.container_spec.deployment_timeout if model.container_spec else None
    requests, note = _golden_requests(model.uri, deployment.traffic)
    return DeploymentPlan(
        deployment=deployment,
        model=version,
        model_display_name=model.display_name,
        endpoint=endpoint.resource_name if endpoint else None,
        endpoint_display_name=endpoint.display_name if endpoint else model.display_name,
        deployed_model_id=own_id,
        split=split,
        versions={each.id: each.model_version_id for each in deployed},
        time_out_seconds=timeout.total_seconds() if timeout else None,
        golden_requests=requests,
        golden_note=note,
    )


def _endpoint_for(deployment: Deployment, model_display_name: str) -> aiplatform.Endpoint | None:
    """The endpoint that is named, or the one that is called as the model is; None when there is none yet."""
    if deployment.endpoint is not None:
        return find_endpoint(deployment.endpoint)
    found = endpoints_called(model_display_name)
    if len(found) > 1:
        names = ", ".join(each.resource_name for each in found)
        raise InputError(
            Problem(
                f"{len(found)} endpoints are called {model_display_name!r} as the model is: {names}",
                "name one with --endpoint",
            )
        )
    return found[0] if found else None


def _golden_requests(artifact_uri: str | None, traffic: int) -> tuple[Sequence[PredictionRequest], str]:
    """What the version is asked; nothing, and why."""
    if not traffic:
        return (), "not asked: it gets no traffic, and Google has no address of one deployed model"
    if not artifact_uri:
        return (), "none: the version has no artifact"
    try:
        requests = registered_golden_requests(artifact_uri)
    except VertexTorchServeError as error:
        return (), f"not asked, for they can't be read: {error.message}"
    return requests, "" if requests else "none in the archive (`vertex-torchserve golden record` makes them)"
