"""Endpoints, the models deployed to them, and predictions."""
