"""Point the Google SDK at Vertex AI, or at the emulator that `VERTEX_AI_EMULATOR_HOST` names.

No other module reads the variable. For the emulator the SDK needs its address, the REST transport and
anonymous credentials; nothing in the SDK is patched.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import google.auth.exceptions
import requests
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import aiplatform

from vertex_torchserve.errors import InputError, Problem, RegistryError

EMULATOR_HOST = "VERTEX_AI_EMULATOR_HOST"


def connect(project: str, location: str) -> None:
    """Set the SDK's project and location, and the emulator's address when there is one.

    Args:
        project: Google Cloud project id.
        location: Vertex AI region, such as `europe-west2`.
    """
    emulator = _emulator()
    if emulator is None:
        aiplatform.init(project=project, location=location)
        return
    aiplatform.init(
        project=project,
        location=location,
        api_endpoint=emulator,
        api_transport="rest",
        credentials=AnonymousCredentials(),
    )


def prediction_url(endpoint: aiplatform.Endpoint) -> str:
    """Where an endpoint's predictions are asked, but for the method: `https://HOST/v1/projects/.../ID`.

    A dedicated endpoint has a host of its own; the emulator answers for all.
    """
    shared = f"https://{endpoint.location}-aiplatform.googleapis.com"
    own = f"https://{endpoint.dedicated_endpoint_dns}" if endpoint.dedicated_endpoint_enabled else shared
    return f"{_emulator() or own}/v1/{endpoint.resource_name}"


def session() -> AuthorizedSession:
    """HTTP with the credentials that `connect` set."""
    return AuthorizedSession(aiplatform.initializer.global_config.credentials)


def _emulator() -> str | None:
    host = os.environ.get(EMULATOR_HOST)
    return f"http://{host}" if host and "://" not in host else host


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn what the SDK raises into an error of ours that says what was being done.

    Args:
        action: Such as "upload the model".

    Raises:
        InputError: When there are no credentials, or Vertex AI refuses the request as malformed.
        RegistryError: For everything else that Vertex AI refuses or fails.
    """
    try:
        yield
    except google.auth.exceptions.DefaultCredentialsError as error:
        raise InputError(
            Problem(
                f"can't {action}: no Google credentials were found",
                "run `gcloud auth application-default login`, or start the emulator and export its variables",
            )
        ) from error
    except exceptions.FailedPrecondition as error:
        raise RegistryError(f"can't {action}: {error.message}") from error
    except exceptions.BadRequest as error:  # what INVALID_ARGUMENT becomes over REST
        raise InputError(
            Problem(f"can't {action}: {error.message}", "correct the value that Vertex AI names")
        ) from error
    except (exceptions.PermissionDenied, exceptions.Forbidden) as error:
        raise RegistryError(
            f"can't {action}: permission denied: {error.message}",
            "grant the caller roles/iam.serviceAccountUser on the service account"
            if "actAs" in str(error.message)
            else "grant the caller roles/aiplatform.user on the project, if that is the project's id",
        ) from error
    except (exceptions.ResourceExhausted, exceptions.TooManyRequests) as error:
        raise RegistryError(
            f"can't {action}: a quota is used up: {error.message}",
            "undeploy what nobody asks, take fewer replicas or another region, or have the quota that is "
            "named raised at https://console.cloud.google.com/iam-admin/quotas",
        ) from error
    except exceptions.NotFound as error:
        raise RegistryError(
            f"can't {action}: not found: {error.message}", "check project, location and the resource's name"
        ) from error
    except (exceptions.GoogleAPICallError, google.auth.exceptions.GoogleAuthError) as error:
        raise RegistryError(f"can't {action}: {error}") from error
    except requests.RequestException as error:
        raise RegistryError(
            f"can't {action}: Vertex AI can't be reached: {error}",
            f"check the network, or {EMULATOR_HOST} when you mean the emulator",
        ) from error
