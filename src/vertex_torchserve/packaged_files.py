"""Files that this package copies or loads, but never imports: handlers, the compiled component.

They are inside an installed package, and beside `src/` in a checkout.
"""

from importlib import resources
from pathlib import Path

REFERENCE_HANDLER_FILE = "huggingface_handler.py"
REFERENCE_HANDLER_PACKAGE = "hf_handler"
# The handlers of other servers that are served by an adapter, each with its adapter's file.
ADAPTER_FILES = {"endpoint": "endpoint_adapter.py", "sagemaker": "sagemaker_adapter.py"}
ADAPTER_PACKAGE = "foreign_handler"


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
    return _file_and_package(REFERENCE_HANDLER_FILE, REFERENCE_HANDLER_PACKAGE)


def adapter(kind: str) -> dict[str, Path]:
    """The files of an adapter by their names in an archive; the first is the one that the manifest names.

    Args:
        kind: A key of `ADAPTER_FILES`.
    """
    return _file_and_package(ADAPTER_FILES[kind], ADAPTER_PACKAGE)


def _file_and_package(file: str, package: str) -> dict[str, Path]:
    named = packaged_file(f"handlers/{file}")
    modules = sorted((named.parent / package).rglob("*.py"))
    return {each.relative_to(named.parent).as_posix(): each for each in (named, *modules)}
