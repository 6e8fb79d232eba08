"""Whether model-config.yaml can be read."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.model_config import ModelConfig


@rule
def config_readable(subject: Subject) -> Iterator[Finding]:
    """model-config.yaml is a YAML mapping within the limits of TorchServe's parser.

    Counts are numbers that TorchServe can hold. An empty file ends TorchServe; one that nests too deep, or
    whose aliases stand for too much, is dropped in silence. The server reads it by the same function.

    Fix: correct the file, or leave it out.
    """
    found = subject.config_or_problems
    if isinstance(found, ModelConfig):
        try:
            found.written({})
        except InputError as refused:
            found = refused.problems
    if isinstance(found, tuple):
        for problem in found:
            yield error(subject.config_name or "", *problem)
