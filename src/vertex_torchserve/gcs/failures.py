"""Turn failures of the storage client and of the disk into errors that say what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from vertex_torchserve.errors import InputError, Problem, VertexTorchServeError
from vertex_torchserve.gcs.client import GOOGLE_ENDPOINT, endpoint, status_of
from vertex_torchserve.gcs.path import GcsPath

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class StorageError(VertexTorchServeError):
    """Cloud Storage was reached and failed the request, also when it was repeated."""


@contextmanager
def explained(path: GcsPath, role: str, missing: Problem) -> Iterator[None]:
    """Turn what the client and the disk raise in the block into this package's errors.

    Args:
        path: What was read or written.
        role: The IAM role that allows it, such as `roles/storage.objectViewer`.
        missing: What to report when the service answers 404.

    Raises:
        InputError: The path, the credentials, the permission, the endpoint or the disk is the cause.
        StorageError: The service goes on failing.
    """
    try:
        yield
    except VertexTorchServeError:
        raise
    except Exception as error:
        raise _meaning(error, path, role, missing) from error


def _meaning(error: Exception, path: GcsPath, role: str, missing: Problem) -> Exception:
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    cause = error.cause if isinstance(error, RetryError) and error.cause else error
    problem = _problem(cause, path, role, missing)
    if problem:
        return InputError(problem)
    if isinstance(cause, GoogleAPICallError):
        return StorageError(
            f"{path}: Cloud Storage answered {status_of(cause)}: {_reason(cause)}",
            "Try again; if it stays like this, see https://status.cloud.google.com.",
        )
    return error


def _problem(error: Exception, path: GcsPath, role: str, missing: Problem) -> Problem | None:
    from google.auth.exceptions import GoogleAuthError, TransportError
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    status = status_of(error)
    if status == 401 or (isinstance(error, GoogleAuthError) and not isinstance(error, TransportError)):
        return _no_credentials(path, error)
    if status == 403:
        return _no_permission(path, role, error)
    if status == 404:
        return missing
    if isinstance(error, (RequestException, HTTPError, TransportError, ConnectionError)):
        return _unreachable(path, error)
    return _disk(error) if isinstance(error, OSError) else None


def _no_credentials(path: GcsPath, error: Exception) -> Problem:
    return Problem(
        f"{path}: no Google credentials that work: {_reason(error)}",
        "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a service "
        "account's key file.",
    )


def _no_permission(path: GcsPath, role: str, error: Exception) -> Problem:
    return Problem(
        f"{path}: permission denied: {_reason(error)}",
        f"Grant {role} on gs://{path.bucket} to the account this runs as.",
    )


def _unreachable(path: GcsPath, error: Exception) -> Problem:
    where = endpoint()
    fix = (
        "Check the network and the proxy settings."
        if where == GOOGLE_ENDPOINT
        else "Start the emulator, set STORAGE_EMULATOR_HOST to its address (such as http://127.0.0.1:9023), "
        "or unset it to use Google's."
    )
    return Problem(f"{path}: nobody answers for Cloud Storage at {where} ({type(error).__name__}).", fix)


def _disk(error: OSError) -> Problem:
    message = f"{error.filename or 'The disk'}: {error.strerror or error}."
    if error.errno in _NO_SPACE:
        return Problem(message, "Free some space, or use a folder on a larger disk.")
    return Problem(message, "Use a folder and a file this user can read and write.")


def _reason(error: Exception) -> str:
    """The server's message without the request's URL: the URL of an upload holds its session's secret."""
    text = str(getattr(error, "message", error))
    return text.partition("://")[2].partition(": ")[2] if "://" in text.partition(": ")[0] else text
