"""The components' own artifacts, with Google's schema and without google-cloud-pipeline-components.

That package can't be installed beside google-cloud-aiplatform 2. Google's components that take one read only
its schema and `resourceName`.
"""

from kfp import dsl


class VertexModel(dsl.Artifact):  # type: ignore[misc] # kfp is untyped
    """A model version in the Vertex AI Model Registry."""

    schema_title = "google.VertexModel"
    schema_version = "0.0.1"


class VertexEndpoint(dsl.Artifact):  # type: ignore[misc] # kfp is untyped
    """An endpoint of Vertex AI."""

    schema_title = "google.VertexEndpoint"
    schema_version = "0.0.1"
