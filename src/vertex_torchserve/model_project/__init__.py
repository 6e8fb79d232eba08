"""A model project that works at once: what `init` writes, from the files in `templates/`."""

from vertex_torchserve.model_project.creation import HOUSES, TASKS, create_project

__all__ = ["HOUSES", "TASKS", "create_project"]
