"""Endpoints as resources: create, get, list, patch, delete, and their traffic splits."""

from vertex_torchserve.emulator.endpoints.limits import dedicated_dns
from vertex_torchserve.emulator.registry.stored_model import base_models
from vertex_torchserve.emulator.rest import rules
from vertex_torchserve.emulator.rest.listing import page
from vertex_torchserve.emulator.rest.names import new_id, now
from vertex_torchserve.emulator.rest.operations import EMPTY, Operations
from vertex_torchserve.emulator.rest.request import Json, Request, Routes
from vertex_torchserve.emulator.rest.rpc_status import RpcError, not_emulated, not_found
from vertex_torchserve.emulator.state import State

_WHOLE = 100
_DEDICATED = "dedicatedEndpointEnabled"
_PATCHABLE = {"displayName", "description", "labels", "trafficSplit"}


class Endpoints:
    """The endpoints in the state; `deployments.py` deploys models to them."""

    def __init__(self, state: State, operations: Operations) -> None:
        self._state = state
        self._operations = operations

    def routes(self) -> Routes:
        """The REST methods of endpoints that need no model server."""
        return {
            ("POST", "endpoints"): self.create,
            ("GET", "endpoints"): self.list_endpoints,
            ("GET", "endpoints/*"): self.get,
            ("PATCH", "endpoints/*"): self.patch,
            ("DELETE", "endpoints/*"): self.delete,
        }

    def create(self, request: Request) -> Json:
        """Create an endpoint without deployed models."""
        endpoint = request.body
        asked_id = request.query.get("endpointId", "")
        rules.refuse(
            [
                *rules.display_name(endpoint.get("displayName", "")),
                *rules.labels(endpoint.get("labels", {})),
                *(rules.endpoint_id(asked_id) if asked_id else ()),
                *traffic_problems(endpoint.get("trafficSplit", {}), set()),
            ]
        )
        name = f"{request.parent}/endpoints/{asked_id or new_id()}"

        own_host = {"dedicatedEndpointDns": dedicated_dns(name)} if endpoint.get(_DEDICATED) else {}

        def register() -> Json:
            moment = now()
            with self._state.changing():
                if name in self._state.endpoints:
                    raise RpcError("ALREADY_EXISTS", f"The resource {name!r} already exists.")
                self._state.endpoints[name] = {
                    **endpoint,
                    **own_host,
                    "name": name,
                    "deployedModels": [],
                    "trafficSplit": {},
                    "createTime": moment,
                    "updateTime": moment,
                }
            return {"name": name}

        return self._operations.start(name, "CreateEndpoint", register, response_type="Endpoint")

    def list_endpoints(self, request: Request) -> Json:
        """The endpoints of the location."""
        with self._state.reading():
            resources = [
                dict(resource)
                for name, resource in self._state.endpoints.items()
                if name.startswith(f"{request.parent}/endpoints/")
            ]
            return page(
                resources,
                request.query,
                collection="endpoints",
                id_field="endpoint",
                base_models=self._base_models,
            )

    def get(self, request: Request) -> Json:
        """One endpoint."""
        with self._state.reading():
            return dict(self.find(endpoint_name(request)))

    def patch(self, request: Request) -> Json:
        """Update display name, description, labels or the traffic split."""
        fields, new = request.update_mask(), request.body
        foreign = sorted(set(fields) - _PATCHABLE)
        if foreign:
            raise not_emulated(f"Updating {', '.join(foreign)} of an endpoint")
        with self._state.changing():
            endpoint = self.find(endpoint_name(request))
            problems = [
                *(rules.display_name(new.get("displayName", "")) if "displayName" in fields else ()),
                *(rules.labels(new.get("labels", {})) if "labels" in fields else ()),
            ]
            if "trafficSplit" in fields:
                known = {deployed["id"] for deployed in endpoint["deployedModels"]}
                problems += traffic_problems(new.get("trafficSplit", {}), known)
            rules.refuse(problems)
            for field in fields:
                endpoint[field] = new.get(field, {} if field in {"labels", "trafficSplit"} else "")
            endpoint["updateTime"] = now()
            return dict(endpoint)

    def delete(self, request: Request) -> Json:
        """Delete an endpoint that has no deployed models."""
        name = endpoint_name(request)
        self._refuse_occupied(name)

        def remove() -> Json:
            with self._state.changing():
                self._refuse_occupied(name)
                del self._state.endpoints[name]
            return EMPTY

        return self._operations.start(name, "Delete", remove)

    def find(self, name: str) -> Json:
        """The stored endpoint, not a copy: use it under `State.reading` or `State.changing`.

        Raises:
            RpcError: NOT_FOUND when there is none of that name.
        """
        if name not in self._state.endpoints:
            raise not_found(name)
        return self._state.endpoints[name]

    def _base_models(self, endpoint: Json) -> set[str]:
        versions = (
            self._state.models[deployed["model"]]["versions"][deployed["modelVersionId"]]["resource"]
            for deployed in endpoint["deployedModels"]
        )
        return {name for version in versions for name in base_models(version)}

    def _refuse_occupied(self, name: str) -> None:
        deployed = [model["id"] for model in self.find(name)["deployedModels"]]
        if deployed:
            raise RpcError(
                "FAILED_PRECONDITION",
                f"The endpoint {name!r} has deployed or being-deployed models: {', '.join(deployed)}.",
            )


def endpoint_name(request: Request) -> str:
    """The full name of the endpoint the request is about."""
    return f"{request.parent}/endpoints/{request.ids[0]}"


def traffic_problems(split: dict[str, int], known: set[str]) -> list[str]:
    """Why a traffic split is refused; accepted are percentages that add up to 100, or an empty one.

    Args:
        split: Deployed model id -> percentage.
        known: The ids that it may name.
    """
    problems = [f"traffic_split names {key!r}, which is not deployed." for key in sorted(set(split) - known)]
    if split and sum(split.values()) != _WHOLE:
        problems.append(f"traffic_split adds up to {sum(split.values())}; {_WHOLE} is accepted.")
    return problems
