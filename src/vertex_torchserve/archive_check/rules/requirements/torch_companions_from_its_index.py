"""Packages with a binary part that belongs to one build of torch."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_COMPANIONS = ("torchaudio", "torchtext", "torchvision", "xformers")


@rule
def torch_companions_from_its_index(subject: Subject) -> Iterator[Finding]:
    """Torchvision and other binary companions of torch come from the index that the image's torch comes from.

    The CPU image's torch is of PyTorch's index of CPU wheels, the GPU image's of that for its CUDA. PyPI's
    torchvision is built for another CUDA and fails beside them: `operator torchvision::nms does not exist`.
    Each version of a companion belongs to one version of torch.

    Fix: put `--extra-index-url https://download.pytorch.org/whl/cpu` into the requirements, or the wheel
    into the archive's `wheels/`, or build an image that has it (`images build cpu --with-requirements`).
    """
    requirements, index = subject.requirements, subject.image.torch_index
    has_index = any(line.is_option and "download.pytorch.org" in line.text for line in requirements.lines)
    if index is None or has_index or any(name.startswith("wheels/") for name in subject.names):
        return
    for line in requirements.lines:
        if line.name in _COMPANIONS and line.url is None and line.name not in subject.image.versions:
            torch = subject.image.versions["torch"]
            yield warning(
                f"{requirements.member}:{line.number}",
                f"PyPI's {line.name} is built for another torch than that of {subject.image.name}, {torch}, "
                "beside which its operators don't exist",
                f"add the line `--extra-index-url {index}`, and pin the version that belongs to torch "
                f"{torch.partition('+')[0]}",
            )
