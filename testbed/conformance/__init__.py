"""Servers to check: a small one that keeps Vertex AI's contract, and one with a fault for each check."""
