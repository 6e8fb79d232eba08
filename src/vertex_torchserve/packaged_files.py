"""Files that this package copies or loads, but never imports: the reference handler, the compiled component.

They are inside an installed package, and beside `src/` in a checkout.
"""

from importlib import resources
from pathlib import Path

REFERENCE_HANDLER_FILE = "huggingface_handler.py"
REFERENCE_HANDLER_PACKAGE = "hf_handler"


def packaged_file(name: str) -> Path:
    """The path of a file that the wheel carries.

    Args:
        name: Its path in the repository, such as `handlers/huggingface_handler.py`.
    """
    package = Path(str(resources.files("vertex_torchserve")))
    installed = package / name
    return installed if installed.is_file() else package.parents[1] / name


def reference_handler() -> dict[str, Path]:
    """The files of the reference Hugging Face handler by their names in an archive.

    The first is the file that the manifest names; the others are the package that it imports.
    """
    named = packaged_file(f"handlers/{REFERENCE_HANDLER_FILE}")
    modules = sorted((named.parent / REFERENCE_HANDLER_PACKAGE).rglob("*.py"))
    return {file.relative_to(named.parent).as_posix(): file for file in (named, *modules)}
