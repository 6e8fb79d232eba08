"""Batch prediction jobs: the resource, its run, its files."""
