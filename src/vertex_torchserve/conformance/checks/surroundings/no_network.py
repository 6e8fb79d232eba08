"""The server starts and answers with no way out to the internet."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import ENDPOINT_TYPES
from vertex_torchserve.conformance.surroundings import NO_NETWORK, answer_under
from vertex_torchserve.conformance.trial import Trial


@should(ENDPOINT_TYPES)
def no_network(trial: Trial) -> str:
    """The server starts and answers with no way out to the internet.

    Endpoints of Private Service Connect have none. A server that fetches a tokenizer as it starts never
    becomes ready there.

    Fix: put what is fetched into the image or the artifact; set HF_HUB_OFFLINE=1 to find what is missing.
    """
    return answer_under(trial, NO_NETWORK)
