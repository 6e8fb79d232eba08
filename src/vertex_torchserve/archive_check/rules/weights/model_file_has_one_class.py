"""The model file of an eager model."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def model_file_has_one_class(subject: Subject) -> Iterator[Finding]:
    """The model file is Python at the archive's root that defines exactly one class.

    TorchServe's own handlers import it, take its one class, make one without arguments and load the state
    dict into it. Of two classes they take none.

    Fix: keep the model's class alone in the file and import the others from a file beside it
    (`--extra-file`).
    """
    manifest = subject.manifest
    name = manifest.model_file if manifest else None
    if name is None or not subject.holds(name):
        return
    source = subject.python(name)
    if source.fault is not None:
        yield error(
            f"{name}:{source.fault.line}",
            f"model file {name}, line {source.fault.line}: {source.fault.message}",
            "correct the syntax of the file",
        )
        return
    classes = source.classes()
    if len(classes) != 1:
        names = ", ".join(each.name for each in classes) or "none"
        yield error(
            f"{name}:{classes[1].lineno}" if classes else name,
            f"model file {name} defines {len(classes)} classes ({names}); TorchServe accepts exactly one",
            "keep the model's class alone in it, and import the others from a file beside it "
            "(`--extra-file`)",
        )
