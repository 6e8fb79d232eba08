"""The golden requests of a registered version: read from its archive, asked through an endpoint."""

import time
import zipfile
from collections.abc import Sequence

from vertex_torchserve import gcs
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.archive.golden_request import packed_golden_requests, parse_golden_request
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.archive.request_file import MOST_BYTES
from vertex_torchserve.serving.archive.source import as_file
from vertex_torchserve.vertex_ai.asked_endpoint import AskedEndpoint, RawAnswer

# An endpoint that has just been changed may answer for a while as it did before.
_PATIENCE_SECONDS = 600.0
_PAUSE_SECONDS = 0.2
_SHOWN_CHARACTERS = 500


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


def ask_golden_requests(
    endpoint: AskedEndpoint, deployed_model_id: str, requests: Sequence[PredictionRequest]
) -> None:
    """Ask a deployed model its golden requests, and compare the answers.

    Google has no address of one deployed model, so a request is sent until the answer is from the one that is
    meant; with a share of 5 % of the traffic that takes 20 tries.

    Args:
        endpoint: Where it gets traffic.
        deployed_model_id: The model that must answer.
        requests: What to ask.

    Raises:
        ServingError: An answer is not as expected, or does not come.
    """
    for number, request in enumerate(requests, start=1):
        name = f"golden request {number} of {len(requests)}"
        answer = _answer_of(endpoint, deployed_model_id, request.body(), name)
        if answer.status != 200:
            said = answer.body.decode(errors="replace")[:_SHOWN_CHARACTERS]
            raise ServingError(f"{name} was answered {answer.status}, 200 is needed: {said}")
        if difference := request.difference(answer.body):
            raise ServingError(f"{name} was not answered as expected: {difference}")


def _answer_of(endpoint: AskedEndpoint, deployed_model_id: str, body: bytes, name: str) -> RawAnswer:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = endpoint.raw(body)
        if answer.deployed_model_id == deployed_model_id:
            return answer
        if not answer.deployed_model_id:  # the endpoint's own answer: it isn't ready yet
            time.sleep(_PAUSE_SECONDS)
    raise ServingError(
        f"{name} was not answered by deployed model {deployed_model_id} of {endpoint.name} in "
        f"{_PATIENCE_SECONDS:g} s; the last answer was {answer.status}: "
        f"{answer.body.decode(errors='replace')[:_SHOWN_CHARACTERS]}"
    )
