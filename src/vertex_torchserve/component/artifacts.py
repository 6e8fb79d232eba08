"""The component's output artifact, with Google's schema and without google-cloud-pipeline-components.

That package holds google-cloud-aiplatform below 2; consumers read only the schema and `resourceName`.
"""

from kfp import dsl


class VertexModel(dsl.Artifact):  # type: ignore[misc] # kfp is untyped
    """A model version in the Vertex AI Model Registry."""

    schema_title = "google.VertexModel"
    schema_version = "0.0.1"
