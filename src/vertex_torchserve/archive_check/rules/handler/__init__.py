"""Rules about the Python that TorchServe loads."""
