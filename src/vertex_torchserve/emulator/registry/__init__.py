"""The Model Registry: models, their versions and aliases."""
