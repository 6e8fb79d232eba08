"""An archive beside the image that it is to be registered with: what fails there, what stays open."""

from dataclasses import dataclass
from typing import Literal

from vertex_torchserve.archive_check.check import findings_of
from vertex_torchserve.archive_check.finding import Finding
from vertex_torchserve.archive_check.image_modules import ImageModules, listed_for, of_our_images
from vertex_torchserve.archive_check.opening import open_archive
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.image_comparison import compare, require_in_image
from vertex_torchserve.smoke_test.recording import Recording
from vertex_torchserve.smoke_test.report import ImageComparison

Inventory = ImageModules | Literal["listed", "none"]
"""What an image has; `listed`: what this package says of it, by its name; `none`: nobody says."""
# Fields of a container spec that a process of this Python has no use for.
_OF_THE_IMAGE = (
    "command",
    "args",
    "liveness_probe",
    "invoke_route_prefix",
    "grpc_ports",
    "shared_memory_size_mb",
)


@dataclass(frozen=True)
class BesideImage:
    """An archive beside an image.

    Attributes:
        findings: What the rules find in the archive; without what another image may have where nobody knows
            what this one has.
        comparison: What serves it here, beside the image; None where nobody knows.
        not_covered: What a proof in this Python says nothing of.
    """

    findings: tuple[Finding, ...]
    comparison: ImageComparison | None = None
    not_covered: tuple[str, ...] = ()


def findings_in(plan: ServingPlan, image: ImageModules | None) -> BesideImage:
    """What the rules find, and nothing more.

    Args:
        plan: The archive.
        image: What the image has; None where nobody knows, or where the image itself serves it.

    Raises:
        InputError: The archive can't be read.
    """
    found = findings_of(_subject(plan, image or of_our_images()))
    return BesideImage(tuple(each for each in found if image or not each.depends_on_image))


def put_beside(
    plan: ServingPlan, here: ImageModules, inventory: Inventory, recording: Recording
) -> BesideImage:
    """Compare, and record the check `image`: what the archive needs is in the image.

    Args:
        plan: The archive, and the image that it is to be registered with.
        here: The Python that serves it now.
        inventory: What that image has.
        recording: Gets the check; none where nobody knows what the image has.

    Raises:
        InputError: The archive can't be read.
    """
    container = plan.container
    not_covered = [
        f"the container's {name}: only the image itself runs it"
        for name in _OF_THE_IMAGE
        if getattr(container, name)
    ]
    image = _image(container.image, inventory)
    if image is None:
        what = container.image or "the image"
        not_covered.append(f"the Python and the libraries of {what}: no inventory of it is known")
        return BesideImage(findings_in(plan, None).findings, None, tuple(not_covered))
    subject = _subject(plan, image)
    findings = tuple(findings_of(subject))
    comparison = compare(subject, here)
    with recording.check("image") as seen:
        require_in_image(subject, findings, here)
        same = len(comparison.compared) - len(comparison.differences)
        said = f"{same} of {len(comparison.compared)} packages as in {image.name}"
        seen.extend([said, *comparison.as_sentences()])
    return BesideImage(findings, comparison, (*comparison.as_sentences(), *not_covered))


def _image(name: str, inventory: Inventory) -> ImageModules | None:
    match inventory:
        case "listed":
            return listed_for(name)
        case "none":
            return None
        case ImageModules():
            return inventory


def _subject(plan: ServingPlan, image: ImageModules) -> Subject:
    return Subject(open_archive(str(plan.mar_path)).view, image, is_archive=True)
