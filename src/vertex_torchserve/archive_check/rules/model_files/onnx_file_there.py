"""The ONNX file that the reference handler is told to run."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

# Where the reference handler looks (hf_handler/engines/onnx_file.py).
_USUAL = ("model.onnx", "onnx/model.onnx")


@rule
def onnx_file_there(subject: Subject) -> Iterator[Finding]:
    """An ONNX file that the reference handler runs is in the archive, and is no pointer of Git LFS.

    With `engine: onnxruntime` it runs `onnx_file`, else `model.onnx` or `onnx/model.onnx`; with
    `engine: auto` it tries one that is there.

    Fix: package with `--engine onnxruntime`, which makes one.
    """
    if not subject.is_archive or not subject.by_reference_handler:
        return
    settings = subject.config.get("handler")
    settings = settings if isinstance(settings, dict) else {}
    engine, named = settings.get("engine", "auto"), settings.get("onnx_file")
    looked_for = [named] if isinstance(named, str) else list(_USUAL)
    found = next((name for name in looked_for if subject.holds(name)), None)
    fix = "package with `--engine onnxruntime`, which makes one, or set handler.engine to torch"
    if found is None and (engine == "onnxruntime" or named is not None):
        others = sorted(name for name in subject.names if name.endswith(".onnx"))
        yield error(
            subject.config_name or "",
            f"an ONNX file is to be run, {' or '.join(map(str, looked_for))}, and isn't there; the archive "
            f"has {', '.join(others) or 'none'}",
            fix,
        )
    elif found is not None and engine != "torch" and subject.is_pointer(found):
        told = error if engine == "onnxruntime" else warning
        yield told(
            found,
            "is a pointer of Git LFS, a few lines of text, and not the file",
            "fetch the files with `git lfs pull`, and package again",
        )
