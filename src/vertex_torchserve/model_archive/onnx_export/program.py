"""Run in a process of its own: make a model's ONNX file, and hold it against what torch gives.

    python -m vertex_torchserve.model_archive.onnx_export.program REQUEST.json

The reference handler's package is on the path: what is exported is the model as the handler loads it, and the
ONNX file is run as the handler runs it. The answer is written beside the request (request.py).
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hf_handler.archive import Archive
from hf_handler.choice import choose_task
from hf_handler.engines.onnx_file import has_torch_weights, onnx_file_of
from hf_handler.engines.onnx_model import OUTPUTS, OnnxModel, bytes_of
from hf_handler.engines.trial import MOST_DIFFERENCE
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.registry import task_class
from hf_handler.threads import ThreadShare
from vertex_torchserve.model_archive.onnx_export import export, int8, trials
from vertex_torchserve.model_archive.onnx_export.names import ANSWER_NAME, FLOAT_FILE, FOLDER, INT8_FILE
from vertex_torchserve.model_archive.onnx_export.trials import opened
from vertex_torchserve.model_archive.onnx_export.unusable import UnusableError


def main() -> int:
    """Do what the request says, and write the answer; returns the exit code."""
    file = Path(sys.argv[1])
    request = json.loads(file.read_text(encoding="utf-8"))
    answer: dict[str, Any]
    try:
        answer = made(request, file.parent)
    except UnusableError as error:
        answer = {"message": str(error), "fix": error.fix}
    except ValueError as error:  # the handler's own refusals
        message, _, fix = str(error).partition("; fix: ")
        answer = {"message": message, "fix": fix or "leave the engine out: torch serves the model"}
    file.with_name(ANSWER_NAME).write_text(json.dumps(answer), encoding="utf-8")
    return 0


def made(request: dict[str, Any], work: Path) -> dict[str, Any]:
    """Make what is asked for.

    Args:
        request: As `request.py` writes it.
        work: Where files are written.

    Returns:
        `files`: paths of what goes into the archive, by the names there. `report`: what was measured.

    Raises:
        UnusableError: The model can't be made into ONNX, or gives something else there.
    """
    archive, task = loaded(request)
    existing = onnx_file_of(archive, archive.folder)
    folder = work / "float32"
    folder.mkdir()
    file = existing or folder / Path(FLOAT_FILE).name
    report = [exported(task, file) if existing is None else compared(task, opened(task, file), existing.name)]
    if request["int8"]:
        folder = work / "int8"
        folder.mkdir()
        small = folder / Path(INT8_FILE).name
        report.append(int8.accurate(task, file, small, request["bounds"]))
        report.append(f"int8: {bytes_of(small) / 1e6:.1f} MB of ONNX, float32 {bytes_of(file) / 1e6:.1f} MB")
    return {
        "files": {f"{FOLDER}/{each.name}": str(each) for each in sorted(folder.iterdir())},
        "report": report,
    }


def loaded(request: dict[str, Any]) -> tuple[Archive, EncoderTask]:
    """Load the model by torch, as the handler does.

    Raises:
        UnusableError: It is no encoder, or there are no weights to compare with.
    """
    settings = {**request["settings"], "engine": "torch", "linear_layers": "torch"}
    archive = Archive.of(
        SimpleNamespace(
            system_properties={"model_dir": request["folder"], "gpu_id": None},
            manifest=request["manifest"],
            model_yaml_config={"handler": settings},
        )
    )
    name = choose_task(archive.settings.task, archive.folder)
    kind = task_class(name).class_for(archive)
    if not issubclass(kind, EncoderTask) or kind.auto_class not in OUTPUTS:
        raise UnusableError(
            f"engine {request['engine']} runs encoders, and {kind.name} runs another kind of model",
            "leave the engine out: torch serves the model",
        )
    if not has_torch_weights(archive, archive.folder):
        raise UnusableError(
            "the model folder has no weights that torch can load: nothing tells if an ONNX file is right",
            "add the weights; or leave the engine out: a folder with an ONNX file alone is served as it is",
        )
    return archive, kind(archive, name, ThreadShare(None))


def exported(task: EncoderTask, file: Path) -> str:
    """Write the model as ONNX, in the way that comes out right; returns how near it is to torch.

    Raises:
        UnusableError: None does.
    """
    failure: Exception | None = None
    for way in (export.traced, export.captured):
        try:
            way(task, file)
        except Exception as error:
            failure = UnusableError(
                f"the model can't be exported to ONNX: {export.reason(error)}",
                "leave the engine out: torch serves the model; or put an ONNX file of it that was made in "
                f"another way into the model folder, as {FLOAT_FILE}",
            )
            continue
        try:
            return compared(task, opened(task, file), "the exported model")
        except (UnusableError, ValueError) as error:
            failure = error
    assert failure is not None  # noqa: S101 (each way returns or fails)
    raise failure


def compared(task: EncoderTask, model: OnnxModel, name: str) -> str:
    """Compare with torch, and say how far they are apart.

    Raises:
        UnusableError: By more than rounding.
    """
    apart, lengths = trials.difference_over_lengths(task, model)
    if apart > MOST_DIFFERENCE:
        raise UnusableError(
            f"{name} gives something else than torch: outputs differ by {apart:.1e}, accepted is "
            f"{MOST_DIFFERENCE:.0e}",
            "leave the engine out: torch serves the model; a file that lies in the model folder can be kept "
            "out with an ignore pattern, then the model is exported",
        )
    return (
        f"onnxruntime: outputs within {apart:.1e} of torch's, {len(lengths)} lengths of text from "
        f"{lengths[0]} to {lengths[-1]} tokens"
    )


if __name__ == "__main__":
    sys.exit(main())
