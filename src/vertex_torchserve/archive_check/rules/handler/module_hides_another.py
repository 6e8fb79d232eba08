"""Files of the archive that take the place of modules of the image."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def module_hides_another(subject: Subject) -> Iterator[Finding]:
    """No module at the archive's root has the name of one that the image has.

    TorchServe puts the model's folder before everything else on the worker's path, and an adapter the folder
    of the handler that it calls (`code/` of SageMaker). A `json.py` or
    `packaging.py` there, or a package `torch/`, is what the server and its libraries get when they import
    that name. Which modules the image has is read from the image, not from a list by hand.

    Fix: rename the file, or leave it out of the archive.
    """
    for name in sorted(subject.names):
        for module in _modules(subject, name):
            owner = subject.image.owners.get(module)
            whose = f"the module {module!r} of {owner}" if owner else f"Python's own module {module!r}"
            yield error(
                name,
                f"{name} would hide {whose} from the server and its libraries",
                "rename it, or leave it out of the archive",
            )


def _modules(subject: Subject, name: str) -> Iterator[str]:
    """The modules of the image that a member takes the place of."""
    for folder in subject.module_folders:
        if not name.startswith(folder):
            continue
        top, _, rest = name.removeprefix(folder).partition("/")
        module = top if rest else top.removesuffix(".py")
        is_module = rest == "__init__.py" or (not rest and top.endswith(".py"))
        if is_module and subject.image.has(module):
            yield module
