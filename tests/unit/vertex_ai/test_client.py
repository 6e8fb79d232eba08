"""What the SDK raises, as errors that say what was being done."""

import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from vertex_torchserve.errors import InputError, RegistryError, VertexTorchServeError
from vertex_torchserve.vertex_ai.client import explained


@pytest.mark.parametrize(
    ("raised", "becomes", "words"),
    [
        (DefaultCredentialsError("none"), InputError, "no Google credentials"),
        (exceptions.InvalidArgument("bad label"), InputError, "bad label"),
        (exceptions.BadRequest("bad label"), InputError, "bad label"),
        (exceptions.FailedPrecondition("is deployed"), RegistryError, "is deployed"),
        (exceptions.PermissionDenied("models.upload"), RegistryError, "permission denied: models.upload"),
        (exceptions.PermissionDenied("iam.serviceAccounts.actAs"), RegistryError, "actAs"),
        (
            exceptions.TooManyRequests("custom_model_serving_cpus"),
            RegistryError,
            "a quota is used up: custom",
        ),
        (exceptions.NotFound("models/1"), RegistryError, "not found: models/1"),
        (exceptions.ServiceUnavailable("later"), RegistryError, "later"),
        (RefreshError("expired"), RegistryError, "expired"),
        (requests.ConnectionError("refused"), RegistryError, "can't be reached"),
    ],
)
def test_explained(raised: Exception, becomes: type[VertexTorchServeError], words: str) -> None:
    with pytest.raises(becomes) as caught, explained("upload 'demo'"):
        raise raised
    assert caught.value.message.startswith("can't upload 'demo': ")
    assert words in caught.value.message
    assert caught.value.__cause__ is raised


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), explained("upload 'demo'"):
        raise KeyError("a bug of ours")
