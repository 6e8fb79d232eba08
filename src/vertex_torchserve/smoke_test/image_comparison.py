"""What a proof in this Python says of the image that will serve: the libraries of both, side by side."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vertex_torchserve.archive_check.finding import Finding, Severity
from vertex_torchserve.archive_check.image_modules import ImageModules
from vertex_torchserve.archive_check.image_modules.listing import without_torch
from vertex_torchserve.archive_check.package_names import could_bring
from vertex_torchserve.archive_check.reading.python_source import Import
from vertex_torchserve.archive_check.rules.handler.built_in_handler_libraries import LIBRARIES
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.errors import ServingError
from vertex_torchserve.smoke_test.report import ImageComparison, PackageDifference

# What serves, whatever the archive imports.
_SERVING = ("torch", "torchserve", "vertex-torchserve")
# What a library does its work with, and is imported with it.
_BENEATH = {"transformers": ("tokenizers",)}


def this_python() -> ImageModules:
    """What the Python that runs this has."""
    listed = without_torch(importlib.metadata.distributions())
    return ImageModules.of("this Python", {**listed, "unpickled": ()})


def compare(subject: Subject, here: ImageModules) -> ImageComparison:
    """Compare what the archive's code can reach, and nothing else.

    Those are the packages that its handler imports, directly or through the archive's own files, torch,
    torchserve and this package. What its requirements name is installed in both, and is left out.

    Args:
        subject: The archive, and the image that it is to be registered with.
        here: The Python that serves it now.
    """
    image = subject.image
    names = {*_SERVING, *(each.package for each in _imported(subject, here))}
    for name, beneath in _BENEATH.items():
        names.update(beneath if name in names else ())
    versions = [
        ("Python", _feature_version(here.python), _feature_version(image.python)),
        *(
            (name, here.versions.get(name, ""), image.versions.get(name, ""))
            for name in sorted(names - subject.requirements.names)
        ),
    ]
    return ImageComparison(
        image.name,
        tuple(name for name, *both in versions if any(both)),
        tuple(PackageDifference(*each) for each in versions if each[1] != each[2]),
    )


def require_in_image(subject: Subject, findings: Sequence[Finding], here: ImageModules) -> None:
    """What the archive needs is in the image, or comes with its requirements.

    Args:
        subject: The archive, and the image.
        findings: What the rules found in it.
        here: The Python that serves it now. Where it has a library that the image lacks, a proof in it says
            nothing of code that imports that library, at whatever moment.

    Raises:
        ServingError: Something is not there.
    """
    missing = [
        f"{each.where}: {each.message}; fix: {each.fix}"
        for each in findings
        if each.depends_on_image and each.severity is Severity.ERROR
    ]
    if not could_bring(subject.requirements, subject.image):
        missing += [
            f"{each.member}:{each.line}: imports {each.package} when it runs; {here.name} has "
            f"{here.versions[each.package]}, {subject.image.name} has none; fix: name it in the "
            "requirements, or build an image that has it (`images build --with-requirements`)"
            for each in _imported(subject, here)
            if each.is_late and each.package not in subject.image.versions
        ]
    if missing:
        raise ServingError("\n".join(dict.fromkeys(missing)))


class _Imported(NamedTuple):
    """A package that the archive's code imports.

    Attributes:
        package: Its name, the image's where the image has the module.
        member: The file that imports it.
        line: Counted from 1; 0 for one of TorchServe's own handlers.
        is_late: Whether it is imported when a function runs, and a failure isn't caught.
    """

    package: str
    member: str
    line: int
    is_late: bool


def _imported(subject: Subject, here: ImageModules) -> Iterator[_Imported]:
    handler = subject.handler
    if handler is None:
        return
    if handler.is_built_in:
        for module in LIBRARIES[handler.module]:
            package = _package_of(module, subject.image, here)
            if package:
                yield _Imported(package, "", 0, is_late=False)
    # The reference handler imports its tasks by their names.
    own = [name for name in subject.names if name.endswith(".py") and handler.is_of_this_project(name)]
    for member in dict.fromkeys([*subject.reached_sources(), *sorted(own), *_model_file(subject)]):
        for each in subject.python(member).imports():
            package = None if _is_its_own(subject, each) else _package_of(each.module, subject.image, here)
            if package:
                late = not each.is_certain and not each.is_guarded and member not in own
                yield _Imported(package, member, each.line, late)


def _is_its_own(subject: Subject, each: Import) -> bool:
    """Whether a module is the archive's own."""
    return bool(each.level) or each.module.partition(".")[0] in subject.modules


def _package_of(module: str, image: ImageModules, here: ImageModules) -> str | None:
    return image.package_of(module) or (None if image.has(module) else here.package_of(module))


def _model_file(subject: Subject) -> list[str]:
    """The file with the class of an eager model, which TorchServe imports for its own handlers."""
    name = subject.manifest.model_file if subject.manifest else None
    return [name] if name and subject.holds(name) else []


def _feature_version(python: str) -> str:
    return ".".join(python.split(".")[:2])
