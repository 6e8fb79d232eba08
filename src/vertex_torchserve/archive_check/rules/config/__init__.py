"""Rules about model-config.yaml and the golden request."""
