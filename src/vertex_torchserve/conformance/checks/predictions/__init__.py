"""Requests that are right, and their answers."""
