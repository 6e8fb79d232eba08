"""SIGTERM."""
