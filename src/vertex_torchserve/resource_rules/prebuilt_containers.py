"""Google's prebuilt PyTorch serving containers: which there are, and until when.

As published on 2026-11-22 (Vertex AI, "Prebuilt containers for prediction", PyTorch). The SDK has a list
too, but it still names images that no longer exist.
"""

import re
from datetime import date

# The one name a prebuilt container looks for: `model.mar` (Vertex AI, "Export model artifacts").
PREBUILT_MODEL_NAME = "model"
NEWEST_VERSION = "2-4"
_AVAILABLE_VERSIONS = ("2-4", "2-3", "2-2")
END_OF_AVAILABILITY = date(2027, 1, 14)
DEFAULT_IMAGE_URI = f"europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.{NEWEST_VERSION}:latest"

_PREBUILT = re.compile(
    r"^(?P<registry>(us|europe|asia)-docker\.pkg\.dev/vertex-ai/prediction)/"
    r"pytorch-(?P<device>cpu|gpu|tpu)\.(?P<version>[\d-]+)(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$"
)


def is_prebuilt(image_uri: str) -> bool:
    """Whether a URI is one of Google's prebuilt PyTorch serving containers, existing or gone."""
    return _PREBUILT.match(image_uri) is not None


def nearest_available(image_uri: str, today: date) -> tuple[str, list[str]]:
    """The image to use for the one asked for, and warnings for the user.

    Args:
        image_uri: Any image; one that is not prebuilt comes back as it is. A prebuilt one that is gone
            is replaced by the newest of the same registry and device.
        today: Decides the wording of the warning only.
    """
    prebuilt = _PREBUILT.match(image_uri)
    if prebuilt is None:
        return image_uri, []
    warnings = []
    if prebuilt["version"] not in _AVAILABLE_VERSIONS:
        image = f"{prebuilt['registry']}/pytorch-{prebuilt['device']}.{NEWEST_VERSION}:latest"
        warnings.append(
            f"{image_uri} no longer exists (list of 2026-11-22); {image} is used instead, with a newer torch"
        )
        image_uri = image
    end = "stop being available on" if today < END_OF_AVAILABILITY else "have not been available since"
    warnings.append(
        f"Google's prebuilt PyTorch containers {end} {END_OF_AVAILABILITY} and are no longer patched; "
        "use custom_container=True with a torchserve-cpu or torchserve-gpu image of your own"
    )
    return image_uri, warnings
