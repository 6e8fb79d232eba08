"""Cloud Storage and Vertex AI on loopback, as the component's tests have them."""

from tests.integration.component.conftest import cloud

__all__ = ["cloud"]
