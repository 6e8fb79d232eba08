"""What registering an archive will do, found out without changing anything."""

from dataclasses import asdict, dataclass
from typing import Any

from google.cloud import aiplatform

from vertex_torchserve import gcs
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.model_upload import ModelUpload
from vertex_torchserve.vertex_ai.named_resources import versions_of
from vertex_torchserve.vertex_ai.registration import UploadCall, find_version, sent_form


@dataclass(frozen=True)
class IntendedVersion:
    """The version that registering will make, or has made.

    Attributes:
        display_name: Of the version.
        model_resource_name: The model that it becomes a version of; None for a new model.
        version_id: Its number: one more than the highest that the registry shows. Vertex AI chooses it.
        already_registered: An earlier try has made it: nothing will be sent.
        moved_aliases: Alias -> the version that has it now and will lose it.
        new_aliases: Those that no version has now.
        artifact_uri: The gs:// folder of the archive.
        upload_bytes: How much of the archive will be sent; 0 when it is there already.
        request: What Vertex AI will be sent: `UploadModelRequest` in the API's JSON, but for the schemas.
    """

    display_name: str
    model_resource_name: str | None
    version_id: str
    already_registered: bool
    moved_aliases: dict[str, str]
    new_aliases: tuple[str, ...]
    artifact_uri: str
    upload_bytes: int
    request: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    def in_words(self) -> str:
        """Such as `new version 4 of X, moves alias prod from 3, 91.0 MB to upload`."""
        model = f"{self.display_name} ({self.model_resource_name})" if self.model_resource_name else ""
        if self.already_registered:
            return f"version {self.version_id} of {model} is there already, nothing to upload"
        what = f"new version {self.version_id} of {model}" if model else f"new model {self.display_name}"
        moves = [f"moves alias {name} from {version}" for name, version in self.moved_aliases.items()]
        sets = [f"sets alias {name}" for name in self.new_aliases]
        size = f"{self.upload_bytes / 1e6:.1f} MB to upload" if self.upload_bytes else "nothing to upload"
        return ", ".join([what, *moves, *sets, f"{size} to {self.artifact_uri}"])


def intended_version(plan: ServingPlan, folder: gcs.GcsPath, upload: ModelUpload) -> IntendedVersion:
    """What `register_archive` with these arguments will do; only reads.

    Args:
        plan: The archive and how it is served.
        folder: Where archives lie.
        upload: What to register it as.

    Raises:
        InputError: When the plan or the names can't be used, or storage can't be reached.
        RegistryError: When Vertex AI refuses or fails, or there is no such parent model.
    """
    call = UploadCall.of(plan, folder, upload)
    with explained(f"look for {upload.display_name!r}"):
        connect(upload.project, upload.location)
        there = find_version(call)
        versions = _versions(there.resource_name if there else call.parent_model)
        is_sent = not there and not gcs.is_stored(plan.mar_path, call.archive, crc32c=plan.crc32c)
    holders = {alias: version.version_id for version in versions for alias in version.version_aliases}
    wanted = list(upload.version_aliases)
    if upload.is_default_version or not versions:
        wanted.append("default")
    free = [] if there else [alias for alias in wanted if alias not in holders]
    numbers = [int(version.version_id) for version in versions if version.version_id.isdecimal()]
    return IntendedVersion(
        display_name=upload.display_name,
        model_resource_name=versions[0].name.partition("@")[0] if versions else None,
        version_id=there.version_id if there else str(max(numbers, default=0) + 1),
        already_registered=there is not None,
        moved_aliases={} if there else {alias: holders[alias] for alias in wanted if alias in holders},
        new_aliases=tuple(free),
        artifact_uri=call.artifact_uri,
        upload_bytes=plan.mar_path.stat().st_size if is_sent else 0,
        request=call.form if there else sent_form(call, upload),
    )


def _versions(model_name: str | None) -> list[Any]:
    """Every version of a model, as the API shows them; none of a model that is yet to be made."""
    if model_name is None:
        return []
    return versions_of(aiplatform.Model(model_name))
