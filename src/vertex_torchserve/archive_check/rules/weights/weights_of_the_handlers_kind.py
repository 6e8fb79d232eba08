"""Whether the handler can load the serialized file."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.reading.torch_file import Kind
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_MODEL_FILE = "package with the model's class (`--model-file model.py`)"
_SCRIPT = "save it with `torch.jit.script(model).save(...)`"


@rule
def weights_of_the_handlers_kind(subject: Subject) -> Iterator[Finding]:
    """The serialized file is of the kind that the handler loads.

    TorchServe's own handlers load TorchScript from a `.pt`, ONNX from an `.onnx` (with onnxruntime), a
    compiled `.so`, or, with a model file, a state dict; a `.pth` or `.bin` without a model file is "No model
    weights could be loaded". The reference handler loads state dicts and safetensors, no TorchScript. A
    pointer of Git LFS is three lines of text in place of the weights.

    Fix: package with `--model-file`, save TorchScript, or use the handler that loads this kind.
    """
    name, handler, manifest = subject.serialized_file, subject.handler, subject.manifest
    yield from _pointers(subject)
    if name is None or handler is None or manifest is None:
        return
    file = subject.torch_file(name)
    kind = file.kind if file is not None else Kind.OTHER
    if kind is Kind.LFS_POINTER:
        return
    if handler.is_reference and kind is Kind.TORCHSCRIPT:
        yield error(
            name,
            "is a TorchScript program, and the reference handler loads weights by their config.json",
            "package the folder that `save_pretrained` wrote, or use `--handler base_handler` or one of "
            "your own",
        )
    elif handler.is_built_in and manifest.model_file:
        if kind is Kind.TORCHSCRIPT:
            yield error(
                name,
                f"is a TorchScript program, and with a model file ({manifest.model_file}) a state dict is "
                "loaded",
                "leave the model file out, or save the state dict: `torch.save(model.state_dict(), FILE)`",
            )
    elif handler.is_built_in:
        yield from _without_model_file(subject, name, kind)


def _without_model_file(subject: Subject, name: str, kind: Kind) -> Iterator[Finding]:
    named = subject.handler.named if subject.handler else ""
    if name.endswith(".pt"):
        if kind is Kind.PICKLE:
            yield error(
                name,
                f"was written by `torch.save`, and TorchServe's own {named} loads a .pt as TorchScript "
                "when there is no "
                "model file",
                f"{_MODEL_FILE}, or {_SCRIPT}",
            )
    elif name.endswith(".onnx"):
        if (
            not subject.image.has("onnxruntime")
            and not {"onnxruntime", "onnxruntime-gpu"} & subject.requirements.names
        ):
            yield error(
                name,
                f"TorchServe's own {named} loads an .onnx with onnxruntime, which {subject.image.name} lacks",
                "name onnxruntime in the requirements file",
                depends_on_image=True,
            )
    elif not name.endswith(".so"):
        yield error(
            name,
            f"TorchServe's own {named} loads TorchScript (.pt), .onnx, .so, or a state dict with a model "
            "file; it can't "
            f"load {name!r}",
            f"{_MODEL_FILE}, or {_SCRIPT}, or use `--handler huggingface` for a model of Hugging Face",
        )


def _pointers(subject: Subject) -> Iterator[Finding]:
    for name in sorted(subject.weights()):
        file = subject.torch_file(name)
        if file is not None and file.kind is Kind.LFS_POINTER:
            yield error(
                name,
                "is a pointer of Git LFS, a few lines of text, and not the file",
                "fetch the files with `git lfs pull`, and package again",
            )
