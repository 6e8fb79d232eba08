"""The golden requests of a registered version: read from its archive, asked through an endpoint."""

import zipfile
from collections.abc import Sequence

from vertex_torchserve import gcs
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.archive.golden_request import packed_golden_requests, parse_golden_request
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.archive.request_file import MOST_BYTES
from vertex_torchserve.serving.archive.source import as_file
from vertex_torchserve.vertex_ai.asked_deployed_model import AskedDeployedModel


def registered_golden_requests(artifact_uri: str) -> Sequence[PredictionRequest]:
    """Those of the archive in an artifact folder; none when it has none. Reads only them, not the weights.

    Args:
        artifact_uri: gs:// folder of a model version.

    Raises:
        InputError: The folder can't be read, or the golden requests can't.
    """
    stored = gcs.list_folder(gcs.GcsPath.parse(artifact_uri))
    for item in stored:
        if item.name.endswith(".mar"):
            try:
                golden = packed_golden_requests(as_file(gcs.ObjectRanges(item)))
            except zipfile.BadZipFile as error:
                raise ServingError(f"{item} is not a model archive: {error}") from error
            return golden.requests if golden else ()
        if item.name == GOLDEN_REQUEST_NAME:
            return parse_golden_request(
                gcs.ObjectRanges(item).read(0, min(item.size, MOST_BYTES + 1))
            ).requests
    return ()


def ask_golden_requests(model: AskedDeployedModel, requests: Sequence[PredictionRequest]) -> None:
    """Ask a deployed model its golden requests, and compare the answers.

    Args:
        model: Where it is asked.
        requests: What to ask.

    Raises:
        ServingError: An answer is not as expected, or does not come.
    """
    for number, request in enumerate(requests, start=1):
        name = f"golden request {number} of {len(requests)}"
        different = request.differences(model.predictions(request, name))
        if different:
            raise ServingError(f"{name} was not answered as expected: {different[0].said}")
