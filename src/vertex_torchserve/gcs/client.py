"""The process's connection to Cloud Storage, and how patient it is."""

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.cloud.storage import Client

GOOGLE_ENDPOINT = "https://storage.googleapis.com"

# Threads of one transfer. Above this a single Python process is bound by its own CPU, not by the network.
WORKERS = 8

# (seconds to connect, seconds without a byte).
QUESTION_TIMEOUT = (3.05, 10.0)
TRANSFER_TIMEOUT = (10.0, 60.0)

# An endpoint that nobody listens on is a wrong setting, not a hiccup: it is given seconds. A server that
# answers "busy" is there, and is given minutes, as Google asks:
# https://cloud.google.com/storage/docs/retry-strategy
_UNREACHABLE_PATIENCE_S = 4.0
_BUSY_PATIENCE_S = 60.0
_TRANSFER_PATIENCE_S = 300.0
_LONGEST_PAUSE_S = 10.0
_BUSY_STATUS = frozenset({408, 429, 500, 502, 503, 504})

# Connections kept per host: several transfers at once, without urllib3's "pool is full" warnings.
_POOL_SIZE = 8 * WORKERS

Answer = TypeVar("Answer")


def endpoint() -> str:
    """The address of the storage service: the emulator's when `STORAGE_EMULATOR_HOST` names one."""
    return os.environ.get("STORAGE_EMULATOR_HOST") or GOOGLE_ENDPOINT


def connect() -> "Client":
    """The process's client for the present endpoint.

    No project is asked for: reading and writing objects needs none.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: When Google's own endpoint is meant and there are no
            credentials.
    """
    return _client(endpoint())


@cache
def _client(_endpoint: str) -> "Client":
    from google.cloud.storage import Client
    from requests.adapters import HTTPAdapter

    client = Client(project=None)
    # For its traces the client would read every bucket's metadata in a thread of its own, traced or not: a
    # permission that moving objects doesn't need, and two minutes of attempts when nobody answers.
    client._bucket_metadata_cache = None
    for scheme in ("http://", "https://"):
        client._http.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=_POOL_SIZE))
    client._http.hooks["response"].append(_read_refusal)
    return client


def _read_refusal(response: Any, **_: Any) -> None:
    # The client leaves the refusal of a download unread, and its connection open with nobody to close it.
    if response.status_code >= 400:
        _ = response.content


def ask(question: Callable[..., Answer]) -> Answer:
    """Put a short question to the service, such as a listing.

    Args:
        question: Called with `retry=` and `timeout=`, to be handed to the client's method.

    Raises:
        google.api_core.exceptions.RetryError: After about 4 seconds when nobody answers at the endpoint,
            after about a minute when it answers only "busy".
    """
    reach = _retry(_is_unreachable, _UNREACHABLE_PATIENCE_S, first_pause_s=0.2)
    busy = _retry(_is_busy, _BUSY_PATIENCE_S)
    answer: Answer = busy(lambda: question(retry=reach, timeout=QUESTION_TIMEOUT))()
    return answer


def transfer_retry(is_wanted: Callable[[], bool] = lambda: True) -> "Retry":
    """How a transfer is repeated: after broken connections and "busy" answers, for some minutes.

    Args:
        is_wanted: Asked before each repetition, so that a transfer that was given up ends soon.
    """
    return _retry(
        lambda error: is_wanted() and (_is_unreachable(error) or _is_busy(error)), _TRANSFER_PATIENCE_S
    )


def _retry(
    predicate: Callable[[BaseException], bool], patience_s: float, first_pause_s: float = 1.0
) -> "Retry":
    from google.api_core.retry import Retry

    return Retry(
        predicate=predicate,
        initial=first_pause_s,
        maximum=_LONGEST_PAUSE_S,
        multiplier=2.0,
        timeout=patience_s,
    )


def _is_unreachable(error: BaseException) -> bool:
    import requests
    import urllib3
    from google.auth.exceptions import TransportError

    return isinstance(
        error,
        (
            ConnectionError,
            TransportError,
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            urllib3.exceptions.HTTPError,
        ),
    )


def _is_busy(error: BaseException) -> bool:
    return status_of(error) in _BUSY_STATUS


def status_of(error: BaseException) -> int | None:
    """The HTTP status an error of the client stands for; None when the server gave no answer."""
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(error, "code", None)
    return int(status) if isinstance(status, int) else None
