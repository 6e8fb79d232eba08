"""The process's client of Cloud Storage: how long it waits for an answer, and for how long it tries again."""

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

# For how long a request is repeated. Nothing listening at the endpoint is most likely a wrong setting, so the
# user should hear of it within seconds. A server that answers "busy" is asked for minutes, as Google advises:
# https://cloud.google.com/storage/docs/retry-strategy
_UNREACHABLE_SECONDS = 4.0
_BUSY_SECONDS = 60.0
_TRANSFER_SECONDS = 300.0
_LONGEST_PAUSE_SECONDS = 10.0
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
    # With this cache a thread of the client reads the metadata of each bucket, for traces, also when
    # tracing is off. That takes a permission that moving objects doesn't need, and the thread goes on trying
    # for two minutes when nothing answers.
    client._bucket_metadata_cache = None
    for scheme in ("http://", "https://"):
        client._http.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=_POOL_SIZE))
    client._http.hooks["response"].append(_read_refusal)
    return client


def _read_refusal(response: Any, **_: Any) -> None:
    # The client doesn't read the body of a refused download; until it is read the connection stays open.
    if response.status_code >= 400:
        _ = response.content


def ask(question: Callable[..., Answer]) -> Answer:
    """Send a short request, such as a listing.

    Args:
        question: Called with `retry=` and `timeout=`, which it passes to the client's method.

    Returns:
        What `question` returns.

    Raises:
        google.api_core.exceptions.RetryError: After about 4 seconds when nothing answers at the endpoint,
            after about a minute when it answers only "busy".
    """
    reach = _retry(_is_unreachable, _UNREACHABLE_SECONDS, first_pause=0.2)
    busy = _retry(_is_busy, _BUSY_SECONDS)
    answer: Answer = busy(lambda: question(retry=reach, timeout=QUESTION_TIMEOUT))()
    return answer


def transfer_retry(is_wanted: Callable[[], bool] = lambda: True) -> "Retry":
    """How a transfer is repeated: after broken connections and "busy" answers, for up to five minutes.

    Args:
        is_wanted: Called before each repetition. False ends the attempts: the transfer was given up.
    """
    return _retry(
        lambda error: is_wanted() and (_is_unreachable(error) or _is_busy(error)), _TRANSFER_SECONDS
    )


def _retry(predicate: Callable[[BaseException], bool], seconds: float, first_pause: float = 1.0) -> "Retry":
    from google.api_core.retry import Retry

    return Retry(
        predicate=predicate,
        initial=first_pause,
        maximum=_LONGEST_PAUSE_SECONDS,
        multiplier=2.0,
        timeout=seconds,
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
    """The HTTP status in an error of the client; None when the server gave no answer."""
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(error, "code", None)
    return int(status) if isinstance(status, int) else None
