"""Models on endpoints: deploy starts a model server, predict goes to one, undeploy stops it."""

import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from vertex_torchserve.emulator.containers.container import Place
from vertex_torchserve.emulator.containers.model_server import ModelServer
from vertex_torchserve.emulator.containers.serving import Launcher
from vertex_torchserve.emulator.endpoints.chat import as_completion, as_prediction
from vertex_torchserve.emulator.endpoints.endpoints import Endpoints, endpoint_name, traffic_problems
from vertex_torchserve.emulator.endpoints.limits import Limits
from vertex_torchserve.emulator.registry.model_registry import ModelRegistry, ModelVersion
from vertex_torchserve.emulator.rest import rules
from vertex_torchserve.emulator.rest.names import new_id, now, resource_id
from vertex_torchserve.emulator.rest.operations import Operations
from vertex_torchserve.emulator.rest.request import Answer, Json, Request, Routes
from vertex_torchserve.emulator.rest.rpc_status import RpcError, not_found
from vertex_torchserve.emulator.state import State

_LOG = logging.getLogger(__name__)
# In a deploy request this key of the traffic split means the model being deployed.
_THIS_MODEL = "0"
_CHANCE = random.SystemRandom()


class _Chosen(NamedTuple):
    """The deployed model that answers a request, and what holds for its endpoint."""

    deployed: Json
    server: ModelServer
    limits: Limits
    dedicated: bool


class Deployments:
    """The running model servers, by endpoint name and deployed model id."""

    def __init__(
        self,
        state: State,
        operations: Operations,
        models: ModelRegistry,
        endpoints: Endpoints,
        *,
        launcher: Launcher,
        log_folder: Path,
    ) -> None:
        self._state = state
        self._operations = operations
        self._models = models
        self._endpoints = endpoints
        self._launcher = launcher
        self._log_folder = log_folder
        self._servers: dict[tuple[str, str], ModelServer] = {}
        self._stopping = False

    def routes(self) -> Routes:
        """The REST methods of endpoints that need a model server."""
        return {
            ("POST", "endpoints/*:deployModel"): self.deploy,
            ("POST", "endpoints/*:undeployModel"): self.undeploy,
            ("POST", "endpoints/*:predict"): self.predict,
            ("POST", "endpoints/*:rawPredict"): self.raw_predict,
            ("POST", "endpoints/*:streamRawPredict"): self.stream_raw_predict,
            ("POST", "endpoints/*/chat/completions"): self.chat_completions,
        }

    def resume(self) -> None:
        """Start the model servers of all deployed models; a prediction waits until its model is ready."""
        for endpoint, resource in self._state.endpoints.items():
            for deployed in resource["deployedModels"]:
                version = self._models.find(f"{deployed['model']}@{deployed['modelVersionId']}")
                try:
                    self._launcher.refuse_unusable(version.resource["containerSpec"], version.artifact_copy)
                except RpcError as error:
                    _LOG.warning("%s %s stays down: %s", endpoint, deployed["id"], error.message)
                    continue
                server = self._start(endpoint, deployed, version)
                threading.Thread(target=_warm_up, args=(server,), name="resume", daemon=True).start()

    def stop(self) -> None:
        """Stop every model server, also those not ready yet; endpoints keep their deployed models."""
        with self._state.reading():
            self._stopping = True
            servers = list(self._servers.values())
        # Together: each may drain for half a minute.
        with ThreadPoolExecutor(max(1, len(servers))) as drains:
            list(drains.map(ModelServer.stop, servers))

    def deploy(self, request: Request) -> Json:
        """Start a model server; it gets traffic when it is ready."""
        name = endpoint_name(request)
        asked = request.body.get("deployedModel", {})
        version = self._models.find(asked.get("model", ""))
        asked_id = asked.get("id", "")
        split = request.body.get("trafficSplit", {})
        with self._state.reading():
            known = {deployed["id"] for deployed in self._endpoints.find(name)["deployedModels"]}
        rules.refuse(
            [
                *(rules.deployed_model_id(asked_id) if asked_id else ()),
                *traffic_problems(split, known | {_THIS_MODEL}),
            ]
        )
        self._launcher.refuse_unusable(version.resource["containerSpec"], version.artifact_copy)
        if asked_id in known:
            raise RpcError("ALREADY_EXISTS", f"{name} has a deployed model {asked_id}.")
        deployed = {
            **asked,
            "id": asked_id or new_id(),
            "model": version.name,
            "modelVersionId": version.resource["versionId"],
            "displayName": asked.get("displayName") or version.resource["displayName"],
            "createTime": now(),
        }

        def bring_up() -> Json:
            server = self._start(name, deployed, version)
            try:
                server.become_ready()
                self._commit(name, deployed, split)
            except BaseException:
                self._servers.pop((name, deployed["id"]), None)
                server.stop()
                raise
            return {"deployedModel": deployed}

        return self._operations.start(name, "DeployModel", bring_up)

    def undeploy(self, request: Request) -> Json:
        """Stop a model server that has no traffic, or whose traffic goes elsewhere by this request."""
        name, deployed_id = endpoint_name(request), request.body.get("deployedModelId", "")
        split = request.body.get("trafficSplit", {})
        with self._state.reading():
            self._check_undeploy(name, deployed_id, split)

        def take_down() -> Json:
            with self._state.changing():
                endpoint = self._check_undeploy(name, deployed_id, split)
                others = [
                    deployed for deployed in endpoint["deployedModels"] if deployed["id"] != deployed_id
                ]
                endpoint["deployedModels"] = others
                endpoint["trafficSplit"] = (split or endpoint["trafficSplit"]) if others else {}
                server = self._servers.pop((name, deployed_id), None)
            if server:
                server.stop()
            return {}

        return self._operations.start(name, "UndeployModel", take_down)

    def predict(self, request: Request) -> Json:
        """`{"instances": [...], "parameters": ...}` to `{"predictions": [...], ...}`."""
        instances = request.body.get("instances", [])
        chosen = self._choose(request)
        predictions = chosen.server.predictions(
            instances, request.body.get("parameters"), timeout_seconds=chosen.limits.seconds
        )
        return {
            "predictions": predictions,
            "deployedModelId": chosen.deployed["id"],
            "model": chosen.deployed["model"],
            "modelVersionId": chosen.deployed["modelVersionId"],
            "modelDisplayName": chosen.deployed["displayName"],
        }

    def raw_predict(self, request: Request) -> Answer:
        """Pass any body to the predict route, and the container's answer back unchanged."""
        answer = self._pass_on(self._choose(request), request)
        return replace(answer, body=b"".join(answer.body)) if not isinstance(answer.body, bytes) else answer

    def stream_raw_predict(self, request: Request) -> Answer:
        """The same, piece by piece as it comes; for a custom model on dedicated endpoints only."""
        chosen = self._choose(request)
        if not chosen.dedicated:
            raise RpcError(
                "FAILED_PRECONDITION",
                "streamRawPredict of a custom model needs an endpoint with dedicated_endpoint_enabled.",
            )
        return self._pass_on(chosen, request)

    def chat_completions(self, request: Request) -> Answer:
        """A chat as OpenAI's clients send it, whole or in events; on every kind of endpoint."""
        chosen = self._choose(request)
        return as_completion(self._pass_on(chosen, as_prediction(request)))

    def _pass_on(self, chosen: _Chosen, request: Request) -> Answer:
        answer = chosen.server.raw(request.raw_body, request.headers, timeout_seconds=chosen.limits.seconds)
        own = {
            "X-Vertex-AI-Deployed-Model-Id": chosen.deployed["id"],
            "X-Vertex-AI-Model": chosen.deployed["model"],
            "X-Vertex-AI-Model-Version-Id": chosen.deployed["modelVersionId"],
        }
        return replace(answer, headers={**answer.headers, **own})

    def _start(self, endpoint: str, deployed: Json, version: ModelVersion) -> ModelServer:
        resources = deployed.get("dedicatedResources", {})
        place = Place(
            project_number=endpoint.split("/")[1],
            endpoint_id=resource_id(endpoint),
            deployed_model_id=deployed["id"],
            machine=resources.get("machineSpec", {}),
        )
        log_path = self._log_folder / f"endpoint-{place.endpoint_id}-{deployed['id']}.log"
        with self._state.reading():
            if self._stopping:
                raise RpcError("CANCELLED", "The emulator is stopping.")
            server = ModelServer.of(version, place, self._launcher, log_path)
            self._servers[endpoint, deployed["id"]] = server
        return server

    def _commit(self, name: str, deployed: Json, split: dict[str, int]) -> None:
        own = deployed["id"]
        with self._state.changing():
            endpoint = self._endpoints.find(name)
            self._models.find(f"{deployed['model']}@{deployed['modelVersionId']}")
            endpoint["deployedModels"] = [*endpoint["deployedModels"], deployed]
            if split:
                endpoint["trafficSplit"] = {
                    own if key == _THIS_MODEL else key: share for key, share in split.items()
                }
            endpoint["updateTime"] = now()

    def _check_undeploy(self, name: str, deployed_id: str, split: dict[str, int]) -> Json:
        endpoint = self._endpoints.find(name)
        known = {deployed["id"] for deployed in endpoint["deployedModels"]}
        if deployed_id not in known:
            raise not_found(f"{name}/deployedModels/{deployed_id}")
        rules.refuse(traffic_problems(split, known - {deployed_id}))
        if not split and len(known) > 1 and endpoint["trafficSplit"].get(deployed_id):
            raise RpcError(
                "FAILED_PRECONDITION",
                f"{deployed_id} has traffic; give a traffic_split that sends it elsewhere.",
            )
        return endpoint

    def _choose(self, request: Request) -> _Chosen:
        """A deployed model, chosen at random with the weights of the traffic split."""
        name = endpoint_name(request)
        with self._state.reading():
            endpoint = self._endpoints.find(name)
            limits = Limits.of(endpoint)
            limits.check(request.raw_body)
            shares = {key: share for key, share in endpoint["trafficSplit"].items() if share}
            if not shares:
                raise RpcError("FAILED_PRECONDITION", f"{name} has no deployed model that gets traffic.")
            chosen = _CHANCE.choices(list(shares), weights=list(shares.values()))[0]
            deployed = next(model for model in endpoint["deployedModels"] if model["id"] == chosen)
            server = self._servers.get((name, chosen))
            if server is None:
                raise RpcError("UNAVAILABLE", f"{chosen} could not be started again as it is registered.")
            return _Chosen(deployed, server, limits, endpoint.get("dedicatedEndpointEnabled", False))


def _warm_up(server: ModelServer) -> None:
    try:
        server.become_ready()
    except RpcError as error:
        _LOG.warning("A deployed model could not be started again: %s", error.message)
