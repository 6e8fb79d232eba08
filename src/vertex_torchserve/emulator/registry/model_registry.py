"""The Model Registry: models, their versions and the aliases that point at them."""

from collections.abc import Callable
from typing import NamedTuple

from vertex_torchserve.emulator.registry import stored_model
from vertex_torchserve.emulator.rest import rules
from vertex_torchserve.emulator.rest.listing import page
from vertex_torchserve.emulator.rest.names import canonical_name, new_id, now
from vertex_torchserve.emulator.rest.operations import EMPTY, Operations
from vertex_torchserve.emulator.rest.request import Json, Request, Routes
from vertex_torchserve.emulator.rest.rpc_status import RpcError, invalid, not_found
from vertex_torchserve.emulator.state import State
from vertex_torchserve.emulator.storage.artifact_copies import ArtifactCopies

_MODEL_FIELDS = {"displayName", "description", "labels"}
_VERSION_FIELDS = {"versionDescription", "labels"}


class ModelVersion(NamedTuple):
    """One version, as endpoints and batch jobs use it.

    Attributes:
        name: The model's name, without version.
        resource: The version as the API shows it.
        artifact_copy: The gs:// folder of its own copy of the artifact; empty when it has none.
        image_copy: Its image as it was at the upload.
    """

    name: str
    resource: Json
    artifact_copy: str
    image_copy: str


class ModelRegistry:
    """The models in the state; `stored_model.py` says in which form.

    Args:
        state: Where they are.
        operations: What runs uploads and deletions.
        copies: Copies an artifact.
        copy_image: Names an image so that it stays what it is now; raises RpcError when it can't be had.
    """

    def __init__(
        self,
        state: State,
        operations: Operations,
        copies: ArtifactCopies,
        copy_image: Callable[[str], str],
    ) -> None:
        self._state = state
        self._operations = operations
        self._copies = copies
        self._copy_image = copy_image

    def routes(self) -> Routes:
        """The REST methods of models."""
        return {
            ("POST", "models:upload"): self.upload,
            ("GET", "models"): self.list_models,
            ("GET", "models/*"): self.get,
            ("PATCH", "models/*"): self.patch,
            ("DELETE", "models/*"): self.delete,
            ("GET", "models/*:listVersions"): self.list_versions,
            ("POST", "models/*:mergeVersionAliases"): self.merge_version_aliases,
            ("DELETE", "models/*:deleteVersion"): self.delete_version,
        }

    def find(self, name: str) -> ModelVersion:
        """The version `name` means: `.../models/ID`, `ID@2` or `ID@alias`.

        Raises:
            RpcError: NOT_FOUND when there is no such model, version or alias.
        """
        bare, reference = canonical_name(name, "models")
        with self._state.reading():
            model = self._model(bare)
            version = self._version(bare, reference)
            shown_name = bare if reference is None else f"{bare}@{version}"
            stored = model["versions"][version]
            resource = stored_model.view(shown_name, model, version)
            return ModelVersion(bare, resource, stored["artifactCopy"], stored["imageCopy"])

    def upload(self, request: Request) -> Json:
        """Check, copy the artifact, register a new model or a new version."""
        model, body = request.body.get("model", {}), request.body
        parent_model = body.get("parentModel", "")
        model_id = body.get("modelId", "")
        problems = [
            *rules.display_name(model.get("displayName", "")),
            *rules.container(model.get("containerSpec", {})),
            *rules.labels(model.get("labels", {})),
            *rules.aliases(model.get("versionAliases", [])),
            *(rules.model_id(model_id) if model_id else ()),
        ]
        if parent_model and model_id:
            problems.append("parent_model and model_id are both given; model_id is only for a new model.")
        rules.refuse(problems)
        name = f"{request.parent}/models/{model_id or new_id()}"
        if parent_model:
            name = self._parent(request.parent, parent_model)
        elif name in self._state.models:
            raise RpcError("ALREADY_EXISTS", f"The resource {name!r} already exists.")
        artifact_uri = model.get("artifactUri", "")
        if artifact_uri:
            self._copies.files(artifact_uri)

        def register() -> Json:
            image_copy = self._copy_image(model["containerSpec"]["imageUri"])
            copy = self._copies.make(artifact_uri) if artifact_uri else ""
            try:
                version = self._register(name, model, copy, image_copy, new_model=not parent_model)
            except RpcError:
                self._copies.remove(copy)
                raise
            return {"model": name, "modelVersionId": version}

        return self._operations.start(name, "UploadModel", register)

    def get(self, request: Request) -> Json:
        """One version."""
        return self.find(_name(request)).resource

    def list_models(self, request: Request) -> Json:
        """The default version of every model of the location."""
        with self._state.reading():
            resources = [
                stored_model.view(name, model, self._version(name, None))
                for name, model in self._state.models.items()
                if name.startswith(f"{request.parent}/models/")
            ]
        return _page(resources, request)

    def list_versions(self, request: Request) -> Json:
        """Every version of a model, the oldest first."""
        name, _ = canonical_name(_name(request), "models")
        with self._state.reading():
            model = self._model(name)
            versions = model["versions"]
            resources = [stored_model.view(f"{name}@{version}", model, version) for version in versions]
        return _page(resources, request)

    def patch(self, request: Request) -> Json:
        """Update fields of the model (`ID`) or of one version (`ID@2`), not of both at once."""
        name, reference = canonical_name(_name(request), "models")
        fields = request.update_mask()
        of_version = reference not in {None, "-"}
        allowed = _VERSION_FIELDS if of_version else _MODEL_FIELDS
        foreign = sorted(set(fields) - allowed)
        if foreign:
            raise RpcError(
                "FAILED_PRECONDITION",
                f"{', '.join(foreign)} can't be updated on {'a version' if of_version else 'the model'}; "
                f"{', '.join(sorted(allowed))} can.",
            )
        new = request.body
        rules.refuse(
            [
                *(rules.display_name(new.get("displayName", "")) if "displayName" in fields else ()),
                *(rules.labels(new.get("labels", {})) if "labels" in fields else ()),
            ]
        )
        with self._state.changing():
            model = self._model(name)
            version = self._version(name, reference)
            target = model["versions"][version]["resource"] if of_version else model
            for field in fields:
                target[field] = new.get(field, {} if field == "labels" else "")
            target["versionUpdateTime" if of_version else "updateTime"] = now()
            return stored_model.view(f"{name}@{version}" if of_version else name, model, version)

    def merge_version_aliases(self, request: Request) -> Json:
        """Give aliases to a version, taking them from the one that had them; `-alias` takes one away."""
        name, reference = canonical_name(_name(request), "models")
        if reference is None:
            raise invalid("mergeVersionAliases needs a version: models/ID@VERSION.")
        changes = request.body.get("versionAliases", [])
        rules.refuse(rules.aliases(change.removeprefix("-") for change in changes))
        asked = {change for change in changes if not change.startswith("-")}
        unasked = {change[1:] for change in changes if change.startswith("-")}
        # Adding and removing the same alias cancel each other out (MergeVersionAliasesRequest).
        added, removed = asked - unasked, unasked - asked
        if stored_model.DEFAULT in removed:
            raise invalid("The alias 'default' can't be removed; give it to another version instead.")
        with self._state.changing():
            model = self._model(name)
            version = self._version(name, reference)
            stored_model.take_aliases(model, version, removed)
            stored_model.give_aliases(model, version, added)
            return stored_model.view(f"{name}@{version}", model, version)

    def delete_version(self, request: Request) -> Json:
        """Delete one version that isn't deployed, isn't the default one and isn't the only one."""
        name, reference = canonical_name(_name(request), "models")
        if reference is None:
            raise invalid("deleteVersion needs a version: models/ID@VERSION.")

        def remove() -> Json:
            with self._state.changing():
                model = self._model(name)
                version = self._version(name, reference)
                if len(model["versions"]) == 1:
                    raise RpcError(
                        "FAILED_PRECONDITION", "The only version can't be deleted; delete the model."
                    )
                if stored_model.find_version(model, None) == version:
                    raise RpcError("FAILED_PRECONDITION", f"Version {version} is the default version.")
                self._refuse_deployed(name, version)
                copy = model["versions"].pop(version)["artifactCopy"]
            self._copies.remove(copy)
            return EMPTY

        with self._state.reading():
            self._version(name, reference)
        return self._operations.start(name, "Delete", remove)

    def delete(self, request: Request) -> Json:
        """Delete a model none of whose versions is deployed."""
        name, _ = canonical_name(_name(request), "models")

        def remove() -> Json:
            with self._state.changing():
                model = self._model(name)
                for version in model["versions"]:
                    self._refuse_deployed(name, version)
                del self._state.models[name]
            for stored in model["versions"].values():
                self._copies.remove(stored["artifactCopy"])
            return EMPTY

        self._model(name)
        return self._operations.start(name, "Delete", remove)

    def _register(
        self, name: str, model: Json, artifact_copy: str, image_copy: str, *, new_model: bool
    ) -> str:
        with self._state.changing():
            if new_model and name in self._state.models:
                raise RpcError("ALREADY_EXISTS", f"The resource {name!r} already exists.")
            stored = stored_model.new_model() if new_model else self._model(name)
            version = stored_model.add_version(
                stored, model, artifact_copy=artifact_copy, image_copy=image_copy
            )
            self._state.models[name] = stored
        return version

    def _parent(self, location: str, parent_model: str) -> str:
        """The name of the model a new version goes to; a version behind its `@` is ignored."""
        name, _ = canonical_name(parent_model, "models")
        if not name.startswith(f"{location}/"):
            raise invalid(f"parent_model {parent_model!r} is not in {location}.")
        self._model(name)
        return name

    def _model(self, name: str) -> Json:
        if name not in self._state.models:
            raise not_found(name)
        return self._state.models[name]

    def _version(self, name: str, reference: str | None) -> str:
        """The version id a reference means; none and `-` mean the default version."""
        version = stored_model.find_version(self._model(name), reference)
        if version is None:
            raise not_found(f"{name}@{reference}")
        return version

    def _refuse_deployed(self, name: str, version: str) -> None:
        for endpoint, resource in self._state.endpoints.items():
            for deployed in resource.get("deployedModels", []):
                if (deployed["model"], deployed["modelVersionId"]) == (name, version):
                    raise RpcError("FAILED_PRECONDITION", f"{name}@{version} is deployed to {endpoint}.")


def _page(resources: list[Json], request: Request) -> Json:
    return page(
        resources, request.query, collection="models", id_field="model", base_models=stored_model.base_models
    )


def _name(request: Request) -> str:
    return f"{request.parent}/models/{request.ids[0]}"
