"""Uploads that Vertex AI is still working on, of whomever: one of them may be that of a try that was killed.

An operation does not say which labels its version will have, so all of them are waited for.
"""

import time
from collections.abc import Iterator
from typing import Any

from google.cloud import aiplatform

from vertex_torchserve.errors import RegistryError

_METADATA_TYPE = "UploadModelOperationMetadata"
_POLL_SECONDS = 1.0


def wait_for_running_uploads(timeout_seconds: float) -> None:
    """Wait until the uploads that run in the location now have ended; those that begin later don't count.

    Args:
        timeout_seconds: How long at most.

    Raises:
        RegistryError: They go on for longer.
        google.api_core.exceptions.GoogleAPICallError: When Vertex AI refuses or fails.
    """
    deadline = time.monotonic() + timeout_seconds
    waited_for = set(_running())
    while waited_for := waited_for & set(_running()):
        if time.monotonic() > deadline:
            raise RegistryError(
                f"Vertex AI was still working on {', '.join(sorted(waited_for))} after {timeout_seconds:g} s",
                "run the same command again later: it returns the version if it has been made by then",
            )
        time.sleep(_POLL_SECONDS)


def _running() -> Iterator[str]:
    """The names of the upload operations that are not done."""
    config = aiplatform.initializer.global_config
    client = config.create_client(client_class=aiplatform.utils.ModelClientWithOverride)
    client = client.select_version(aiplatform.compat.DEFAULT_VERSION)
    token = ""
    while True:
        request = {"name": config.common_location_path(), "page_token": token}
        answer: Any = client.list_operations(request=request)
        for operation in answer.operations:
            if operation.metadata.type_url.endswith(_METADATA_TYPE) and not operation.done:
                yield operation.name
        token = answer.next_page_token
        if not token:
            return
