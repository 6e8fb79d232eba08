"""Register an archive in the Model Registry; registering the same content again makes no second version."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from google.api_core import exceptions, retry
from google.cloud import aiplatform

from vertex_torchserve import gcs
from vertex_torchserve.errors import RegistryError, raise_problems
from vertex_torchserve.serving.archive.manifest import read_manifest
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.model_upload import ModelUpload, upload_problems
from vertex_torchserve.vertex_ai.predict_schemata import predict_schemata, upload_schemata

# The label that holds a digest of all that a version was made from: a retry finds the version by it.
UPLOAD_LABEL = "vertex_torchserve_upload"
# Model.upload gives up after 900 s (google.api_core's DEFAULT_POLLING) while the operation goes on.
_UPLOAD_TIMEOUT_SECONDS = 2 * 3600.0


@dataclass(frozen=True)
class RegisteredModel:
    """A model version in the registry.

    Attributes:
        resource_name: `projects/NUMBER/locations/LOCATION/models/ID`.
        version_id: Such as `1`.
        display_name: As registered.
        artifact_uri: The gs:// folder that holds the archive and nothing else.
        already_registered: Whether an earlier try had made this version.
    """

    resource_name: str
    version_id: str
    display_name: str
    artifact_uri: str
    already_registered: bool

    @property
    def versioned_resource_name(self) -> str:
        """`projects/NUMBER/locations/LOCATION/models/ID@VERSION`."""
        return f"{self.resource_name}@{self.version_id}"


def register_archive(mar_path: Path, folder: gcs.GcsPath, upload: ModelUpload) -> RegisteredModel:
    """Upload an archive to a folder of its own and register it as a model version.

    Doing it again with the same archive and the same plan returns the version that is there.

    Args:
        mar_path: The archive, which is read before anything is sent.
        folder: Where archives lie; this one goes to `<folder>/<digest>/<model name>.mar`, because Vertex AI
            copies the whole artifact folder. The schemas of an archive with the reference handler go to
            `<folder>/<digest>-schemata/`.
        upload: What to register it as.

    Raises:
        InputError: When the archive or the plan can't be used, or storage can't be reached.
        RegistryError: When Vertex AI refuses or fails.
    """
    raise_problems(upload_problems(upload))
    read_manifest(mar_path)
    with mar_path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    artifact_folder = folder.child(sha256[:16])
    fingerprint = _fingerprint(upload, sha256, artifact_folder)
    upload = replace(upload, labels={**upload.labels, UPLOAD_LABEL: fingerprint})
    with explained(f"register {upload.display_name!r}"):
        connect(upload.project, upload.location)
        registered = _find_version(upload, fingerprint)
        if registered is not None:
            return registered
        gcs.upload_file(mar_path, artifact_folder.child(mar_path.name))
        schemata = upload_schemata(predict_schemata(mar_path), folder.child(f"{sha256[:16]}-schemata"))
        try:
            model = aiplatform.Model.upload(
                artifact_uri=str(artifact_folder), sync=True, **schemata, **upload.keyword_arguments()
            )
        except TimeoutError:
            return _wait_for_version(upload, fingerprint)
        return RegisteredModel(
            model.resource_name, model.version_id, model.display_name, str(artifact_folder), False
        )


def _fingerprint(upload: ModelUpload, sha256: str, artifact_folder: gcs.GcsPath) -> str:
    content = {**upload.keyword_arguments(), "sha256": sha256, "artifact_uri": str(artifact_folder)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _wait_for_version(upload: ModelUpload, fingerprint: str) -> RegisteredModel:
    """Wait for the version of an upload that still goes on after the SDK has stopped waiting for it."""
    patience = retry.Retry(
        predicate=retry.if_exception_type(_NotYetError),
        initial=1.0,
        maximum=20.0,
        multiplier=1.5,
        timeout=_UPLOAD_TIMEOUT_SECONDS,
    )
    try:
        found: RegisteredModel = patience(_require_version)(upload, fingerprint)
    except exceptions.RetryError as error:
        raise RegistryError(
            f"Vertex AI was still uploading {upload.display_name!r} after {_UPLOAD_TIMEOUT_SECONDS:g} s",
            "run the same command again later: it returns the version if it has been made by then",
        ) from error
    return replace(found, already_registered=False)


class _NotYetError(Exception):
    """The version is not in the registry yet."""


def _require_version(upload: ModelUpload, fingerprint: str) -> RegisteredModel:
    found = _find_version(upload, fingerprint)
    if found is None:
        raise _NotYetError
    return found


def _find_version(upload: ModelUpload, fingerprint: str) -> RegisteredModel | None:
    parent = upload.keyword_arguments()["parent_model"]
    if parent is None:
        models = aiplatform.Model.list(filter=f'labels.{UPLOAD_LABEL}="{fingerprint}"')
    else:
        models = [aiplatform.Model(parent)]
    for model in models:
        # A model shows its default version, which need not be the one that was uploaded.
        for version in model.api_client.list_model_versions(name=model.resource_name):
            if version.labels.get(UPLOAD_LABEL) == fingerprint:
                return _registered(version)
    return None


def _registered(model: Any) -> RegisteredModel:
    """From the API's `Model` message, whose name may carry a version."""
    name = model.name.partition("@")[0]
    return RegisteredModel(name, model.version_id, model.display_name, model.artifact_uri, True)
