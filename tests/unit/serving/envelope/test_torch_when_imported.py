"""TorchServe's module of messages, imported without torch, in a process of its own."""

import subprocess
import sys

from testbed.deadlines import READY_SECONDS

PROGRAM = """
import io, sys
from vertex_torchserve.serving.envelope.torch_when_imported import import_without_torch
messages = import_without_torch("ts.protocol.otf_message_handler")

def body(value):
    return bytes(messages.create_predict_response([value], {0: "id"}, "", 200))

assert b"text" in body("text")
assert b"1.5" in body([1.5])
assert "torch" not in sys.modules

import torch

answer = body(torch.ones(2))
assert torch.equal(torch.load(io.BytesIO(answer[answer.index(b"PK") :])), torch.ones(2))
assert b"1.5" in body([1.5])
assert import_without_torch("ts.protocol.otf_message_handler") is messages
assert sys.modules["torch"] is torch
"""


def test_torch_is_imported_by_the_model_alone_and_its_tensors_are_written_as_before() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=READY_SECONDS
    )
    assert run.returncode == 0, run.stderr
