"""Start TorchServe's own worker with our service envelope beside its envelopes.

TorchServe runs this file instead of its own of the same name (`home.py`), with whatever Python the model
asks for: it needs the standard library and `ts`, never the rest of this package.
"""

import runpy
import sys
from pathlib import Path

_FOLDER = str(Path(__file__).resolve().parent)


def register_envelope() -> None:
    """Let `ts.torch_handler.request_envelope.instances` be imported in this process."""
    from ts.torch_handler import request_envelope

    if _FOLDER not in request_envelope.__path__:
        request_envelope.__path__.append(_FOLDER)


if __name__ == "__main__":
    # Python puts a script's folder first, where `instances` would shadow a module of the archive.
    sys.path[:] = [entry for entry in sys.path if entry != _FOLDER]
    register_envelope()
    runpy.run_module("ts.model_service_worker", run_name="__main__", alter_sys=True)
