"""The files that the reference handler starts from."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx")


@rule
def model_described(subject: Subject) -> Iterator[Finding]:
    """For the reference handler there is a `config.json` or a `modules.json`, and weights.

    They are what `save_pretrained` and sentence-transformers' `save` write. A state dict alone does not say
    which model it is of.

    Fix: package the whole folder that `save_pretrained` wrote.
    """
    if not subject.is_archive or not subject.by_reference_handler:
        return
    if not subject.holds("config.json") and not subject.holds("modules.json"):
        yield error(
            "config.json",
            "there is no config.json, and the reference handler loads no model without it",
            "package the whole folder that `save_pretrained` wrote",
        )
    elif not any(name.endswith(_WEIGHTS) for name in subject.names):
        yield error(
            "model.safetensors",
            "there are no weights beside config.json",
            "package the whole folder that `save_pretrained` wrote",
        )
