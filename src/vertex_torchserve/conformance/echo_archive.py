"""A model archive of a few lines, for serving images of ours that are checked without one."""

from pathlib import Path

from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

ECHO_REQUEST = PredictionRequest(["one", "two"])
# As slow as a small model, so that requests are on their way when the server is told to stop.
_HANDLER = """\
import time


def handle(data, context):
    if data is None:
        return None
    time.sleep(0.005 * len(data))
    return data
"""


def write_echo_archive(folder: Path) -> Path:
    """Write the archive into a folder; its model answers each instance with itself.

    Returns:
        The .mar.
    """
    model = folder / "model"
    model.mkdir()
    handler = folder / "echo.py"
    handler.write_text(_HANDLER)
    (model / "weights.txt").write_text("none\n")
    return build_model_archive(ModelArchiveSpec(model, str(handler)), folder / "archive").mar_path
