"""Send `UploadModelRequest` as it is: the SDK's `Model.upload` has no argument for a third of its fields."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from google.cloud.aiplatform import initializer, utils
from google.cloud.aiplatform_v1.types import UploadModelRequest

_log = logging.getLogger(__name__)


def upload_message(form: Mapping[str, Any], schemata: Mapping[str, str]) -> UploadModelRequest:
    """The message of a form.

    Args:
        form: `UploadModelRequest` in the API's JSON.
        schemata: The uris of the model's schemas, by the names of `Model.upload`.
    """
    request = UploadModelRequest.from_json(json.dumps(form))
    for name, uri in schemata.items():
        setattr(request.model.predict_schemata, name, uri)
    return request


def send_upload(form: Mapping[str, Any], schemata: Mapping[str, str]) -> tuple[str, str]:
    """Upload and wait for the end; the model's resource name and the version's id.

    Args:
        form: As `upload_message` takes it.
        schemata: Likewise.

    Raises:
        TimeoutError: The SDK has stopped waiting; the operation goes on.
        GoogleAPICallError: Vertex AI refuses or fails.
    """
    client = initializer.global_config.create_client(client_class=utils.ModelClientWithOverride)
    operation = client.upload_model(request=upload_message(form, schemata))
    _log.info("uploading: %s", operation.operation.name)
    answer = operation.result()
    return answer.model, answer.model_version_id
