"""The archive of a version, in its artifact folder."""

from pathlib import Path

from vertex_torchserve import gcs
from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.request_file import RequestFile
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.vertex_ai import UPLOAD_LABEL, RegisteredVersion, registered_golden_requests


def archive_of(version: RegisteredVersion) -> gcs.GcsPath:
    """Where the archive lies that a version was uploaded from.

    Raises:
        InputError: It has no artifact, or the archive is not there any more.
    """
    if not version.artifact_uri:
        raise InputError(
            Problem(
                f"{version.resource_name} has no artifact: there is no archive to take golden requests from",
                "give the requests with --golden-request and an endpoint with --endpoint",
            )
        )
    return gcs.archive_at(gcs.GcsPath.parse(version.artifact_uri))


def golden_requests_of(version: RegisteredVersion) -> RequestFile | None:
    """The golden requests of a version's archive, without downloading all of it; None when it has none.

    Raises:
        InputError: It has no artifact, or the archive is not there any more, or can't be read.
        ServingError: What is there is no archive.
    """
    archive_of(version)
    requests = registered_golden_requests(version.artifact_uri)
    return RequestFile(list(requests)) if requests else None


def fetched_plan(version: RegisteredVersion, folder: Path) -> ServingPlan:
    """Download a version's archive, and describe how it is served, as it is registered.

    Args:
        version: The version.
        folder: A private folder.

    Raises:
        InputError: The archive can't be had, or is not the one that was registered.
    """
    archive = archive_of(version)
    if UPLOAD_LABEL not in version.labels:
        raise InputError(
            Problem(
                f"{version.resource_name} was registered by other means: whether the archive in its folder "
                "is the one that Vertex AI copied can't be told",
                "deploy the version, and give the endpoint with --endpoint",
            )
        )
    plan = ServingPlan.of(gcs.download_file(archive, folder / archive.name), version.container)
    if not plan.sha256.startswith(archive.parent.name):  # as registration.py names the folder
        raise InputError(
            Problem(
                f"{archive} has changed since {version.resource_name} was registered from it: its SHA-256 "
                f"began with {archive.parent.name}, now it is {plan.sha256}",
                "deploy the version, which has Vertex AI's own copy, and give the endpoint with --endpoint",
            )
        )
    return plan
