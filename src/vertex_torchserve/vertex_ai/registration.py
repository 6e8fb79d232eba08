"""Register an archive in the Model Registry; registering the same content again makes no second version."""

import hashlib
import json
import time
from dataclasses import dataclass, replace
from typing import Any

from google.api_core import exceptions, retry
from google.cloud import aiplatform

from vertex_torchserve import gcs
from vertex_torchserve.errors import InputError, Problem, RegistryError, raise_problems
from vertex_torchserve.handler_interface.requirement import usable_golden_requests
from vertex_torchserve.resource_rules.labels import MOST_LABELS
from vertex_torchserve.serving_plan import ServingPlan, registered_form
from vertex_torchserve.vertex_ai.alias_move import labels_of_moves
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.lease import LEASE_SECONDS, Applicant, Lease
from vertex_torchserve.vertex_ai.model_upload import ModelUpload, upload_problems
from vertex_torchserve.vertex_ai.named_resources import versions_of
from vertex_torchserve.vertex_ai.predict_schemata import predict_schemata, upload_schemata
from vertex_torchserve.vertex_ai.registered_version import ModelPlace, find_versions
from vertex_torchserve.vertex_ai.running_uploads import wait_for_running_uploads
from vertex_torchserve.vertex_ai.upload_request import send_upload

# The label that holds a digest of all that a version was made from: a retry finds the version by it.
UPLOAD_LABEL = "vertex_torchserve_upload"
# The SDK gives up after 900 s (google.api_core's DEFAULT_POLLING) while the operation goes on.
_UPLOAD_TIMEOUT_SECONDS = 2 * 3600.0
# Between two looks at an upload of somebody else's.
_POLL_SECONDS = 1.0


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


@dataclass(frozen=True)
class UploadCall:
    """What is sent to the registry, and to which folder the archive goes.

    Attributes:
        form: `UploadModelRequest` in the API's JSON, but for the schemas.
        fingerprint: Digest of everything the version is made from: the value of its label `UPLOAD_LABEL`.
        archive: Where the archive goes.
        lease: Where the lease on this upload lies.
    """

    form: dict[str, Any]
    fingerprint: str
    archive: gcs.GcsPath
    lease: gcs.GcsPath

    @property
    def artifact_uri(self) -> str:
        """The gs:// folder that holds the archive and nothing else."""
        return str(self.archive.parent)

    @property
    def parent_model(self) -> str | None:
        """Resource name of the model that this becomes a version of; None for a new model."""
        name: str | None = self.form.get("parentModel")
        return name

    @classmethod
    def of(cls, plan: ServingPlan, folder: gcs.GcsPath, upload: ModelUpload) -> "UploadCall":
        """Check everything and put it together; nothing is asked.

        Raises:
            InputError: When the plan or the names can't be used, the archive has changed, or its golden
                requests are another model's.
        """
        image = Problem(
            "no serving container image is given", "give the URI of an image in Artifact Registry"
        )
        raise_problems(
            [
                *([] if plan.container.image else [image]),
                *plan.container.problems(),
                *upload_problems(upload),
            ]
        )
        plan.require_unchanged()
        usable_golden_requests(plan.mar_path, plan.model_name)
        artifact_folder = folder.child(plan.sha256[:16])
        form = upload.form()
        model = form["model"]
        model["artifactUri"] = str(artifact_folder)
        model["containerSpec"] = registered_form(plan.container)
        content = {**form, "sha256": plan.sha256}
        fingerprint = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
        model["labels"] = {**model["labels"], UPLOAD_LABEL: fingerprint}
        lease = folder.child(f"{plan.sha256[:16]}-lease").child(fingerprint)
        return cls(form, fingerprint, artifact_folder.child(plan.mar_path.name), lease)


def sent_form(call: UploadCall, upload: ModelUpload) -> dict[str, Any]:
    """What is sent: the call's form, with labels that say from which versions aliases are taken.

    `rollback` gives them back by these. The fingerprint, by which a retry finds its version, leaves them out.

    Args:
        call: The upload.
        upload: What it was made from.

    Raises:
        RegistryError: When Vertex AI refuses or fails.
    """
    model = call.form["model"]
    aliases: list[str] = model.get("versionAliases", [])
    if upload.parent_model is None or not aliases:
        return call.form
    versions = find_versions(ModelPlace(upload.parent_model, upload.project, upload.location))
    moves = labels_of_moves(versions, aliases, MOST_LABELS - len(model["labels"]))
    return {**call.form, "model": {**model, "labels": {**moves, **model["labels"]}}}


def register_archive(
    plan: ServingPlan, folder: gcs.GcsPath, upload: ModelUpload, *, lease_seconds: float = LEASE_SECONDS
) -> RegisteredModel:
    """Upload an archive to a folder of its own and register it as a model version.

    Doing it again with the same plan and the same names returns the version that is there. While another try
    is under way, on whatever machine, this one waits for its version.

    Args:
        plan: The archive and how it is served; the archive is compared with its digest before it is sent.
        folder: Where archives lie; this one goes to `<folder>/<digest>/<model name>.mar`, because Vertex AI
            copies the whole artifact folder. The schemas of an archive with the reference handler go to
            `<folder>/<digest>-schemata/`, the lease on the upload to `<folder>/<digest>-lease/`.
        upload: What to register it as.
        lease_seconds: How long to wait for a try that shows no sign of life.

    Raises:
        InputError: When the plan or the names can't be used, or storage can't be reached.
        RegistryError: When Vertex AI refuses or fails.
    """
    call = UploadCall.of(plan, folder, upload)
    with explained(f"register {upload.display_name!r}"):
        connect(upload.project, upload.location)
        applicant, deadline = Applicant(call.lease, lease_seconds), time.monotonic() + _UPLOAD_TIMEOUT_SECONDS
        while True:
            registered = find_version(call)
            if registered is not None:
                applicant.remove_left_note()
                return registered
            lease = applicant.take()
            if lease is not None:
                with lease:
                    registered = _register(plan, folder, upload, call, lease)
                if registered is not None:
                    return registered
            elif time.monotonic() > deadline:
                raise _still_uploading(call)
            time.sleep(_POLL_SECONDS)


def _register(
    plan: ServingPlan, folder: gcs.GcsPath, upload: ModelUpload, call: UploadCall, lease: Lease
) -> RegisteredModel | None:
    """Send archive and version, as the only one; None when another has taken over meanwhile."""
    if lease.follows_another:
        wait_for_running_uploads(_UPLOAD_TIMEOUT_SECONDS)
    registered = find_version(call)
    if registered is not None:
        return registered
    _require_alone(call.archive)
    gcs.upload_file(plan.mar_path, call.archive, crc32c=plan.crc32c)
    schemata = upload_schemata(predict_schemata(plan.mar_path), folder.child(f"{plan.sha256[:16]}-schemata"))
    form = sent_form(call, upload)
    if not lease.may_register():
        return None
    try:
        name, version = send_upload(form, schemata)
    except TimeoutError:
        return _wait_for_version(call)
    return RegisteredModel(name, version, upload.display_name, call.artifact_uri, False)


def _require_alone(archive: gcs.GcsPath) -> None:
    """Refuse a folder that holds something else than the archive: Vertex AI would copy all of it."""
    others = [item.name for item in gcs.list_folder(archive.parent) if item.name != archive.name]
    if others:
        raise InputError(
            Problem(
                f"{archive.parent} holds {', '.join(others)}, and Vertex AI would copy it together with "
                f"{archive.name}",
                "give an archive that was renamed its old name, or upload to another folder",
            )
        )


def _wait_for_version(call: UploadCall) -> RegisteredModel:
    """Wait for the version of an upload that still goes on after the SDK has stopped waiting for it."""
    patience = retry.Retry(
        predicate=retry.if_exception_type(_NotYetError),
        initial=1.0,
        maximum=20.0,
        multiplier=1.5,
        timeout=_UPLOAD_TIMEOUT_SECONDS,
    )
    try:
        found: RegisteredModel = patience(_require_version)(call)
    except exceptions.RetryError as error:
        raise _still_uploading(call) from error
    return replace(found, already_registered=False)


def _still_uploading(call: UploadCall) -> RegistryError:
    return RegistryError(
        f"{call.form['model']['displayName']!r} was still being uploaded after {_UPLOAD_TIMEOUT_SECONDS:g} s",
        "run the same command again later: it returns the version if it has been made by then",
    )


class _NotYetError(Exception):
    """The version is not in the registry yet."""


def _require_version(call: UploadCall) -> RegisteredModel:
    found = find_version(call)
    if found is None:
        raise _NotYetError
    return found


def find_version(call: UploadCall) -> RegisteredModel | None:
    """The version that an earlier try of the same upload has made; None when there is none."""
    if call.parent_model is None:
        models = aiplatform.Model.list(filter=f'labels.{UPLOAD_LABEL}="{call.fingerprint}"')
    else:
        models = [aiplatform.Model(call.parent_model)]
    for model in models:
        # A model shows its default version, which need not be the one that was uploaded.
        for version in versions_of(model):
            if version.labels.get(UPLOAD_LABEL) == call.fingerprint:
                return _registered(version)
    return None


def _registered(model: Any) -> RegisteredModel:
    """From the API's `Model` message, whose name may carry a version."""
    name = model.name.partition("@")[0]
    return RegisteredModel(name, model.version_id, model.display_name, model.artifact_uri, True)
