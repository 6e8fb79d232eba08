"""Packages with a binary part that belongs to one build of torch."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_COMPANIONS = ("torchaudio", "torchtext", "torchvision", "xformers")
_INDEX = "https://download.pytorch.org/whl/cpu"


@rule
def torch_companions_from_its_index(subject: Subject) -> Iterator[Finding]:
    """Torchvision and other binary companions of torch come from the index that the image's torch comes from.

    The CPU image's torch is of PyTorch's index of CPU wheels. PyPI's torchvision is built for CUDA and fails
    beside it with `operator torchvision::nms does not exist`. Each version of a companion belongs to one
    version of torch.

    Fix: put `--extra-index-url https://download.pytorch.org/whl/cpu` into the requirements, or the wheel
    into the archive's `wheels/`.
    """
    requirements = subject.requirements
    has_index = any(line.is_option and "download.pytorch.org" in line.text for line in requirements.lines)
    if has_index or any(name.startswith("wheels/") for name in subject.names):
        return
    for line in requirements.lines:
        if line.name in _COMPANIONS and line.url is None and line.name not in subject.image.versions:
            torch = subject.image.versions.get("torch", "the image's torch")
            yield warning(
                f"{requirements.member}:{line.number}",
                f"PyPI's {line.name} is built for CUDA; beside the CPU image's torch {torch} its operators "
                "don't exist",
                f"add the line `--extra-index-url {_INDEX}`, and pin the version that belongs to torch "
                f"{torch}",
            )
