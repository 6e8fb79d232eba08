"""Rules about the serialized model."""
