"""A model's container: its environment and routes, and the TorchServe process that takes its place."""
