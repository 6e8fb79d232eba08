"""Files that are data to the library: inside an installed package, or beside `src/` in a checkout."""

from importlib import resources
from pathlib import Path


def packaged_file(name: str) -> Path:
    """Where a file lies that the wheel carries.

    Args:
        name: Its path in the repository, such as `handlers/huggingface_handler.py`.
    """
    package = Path(str(resources.files("vertex_torchserve")))
    installed = package / name
    return installed if installed.is_file() else package.parents[1] / name


def reference_handler() -> Path:
    """The file of the reference Hugging Face handler."""
    return packaged_file("handlers/huggingface_handler.py")
