"""A real TorchServe with the envelope, serving an archive of one handler in batches of 16."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.serving.local_server import ServingProcess

HANDLER = """\
import os

import torch
from instances import shout
from ts.utils.util import PredictionException


class Handler:
    def initialize(self, context):
        self.sizes = []

    def handle(self, data, context):
        self.sizes.append(len(data))
        explain = context.get_request_header(0, "explain")
        return [
            self.head(context, context.instance_requests[row], item) or self.answer(item, parameters, explain)
            for row, (item, parameters) in enumerate(zip(data, context.instance_parameters, strict=True))
        ]

    def head(self, context, request, item):
        if not isinstance(item, dict):
            return None
        if "header" in item:
            context.set_response_header(request, *item["header"])
        if "status" in item:
            context.set_response_status(*item["status"], idx=request)
        return "set"

    def answer(self, item, parameters, explain):
        if item == "secret poison":
            raise ValueError("poisoned by " + item)
        if item == "long":
            raise PredictionException("longer than 512 tokens", 413)
        if item == "memory":
            raise MemoryError
        if item == "print":
            print("x" * 20_000_000)
            return "printed"
        if item == "sizes":
            return self.sizes
        if item == "pid":
            return os.getpid()
        if item == "huge":
            return "x" * (11 * 1024 * 1024)
        if item == "explained":
            return explain
        if item == "tensor":
            return torch.tensor([0.5, 1.5])
        return shout(item.decode() if isinstance(item, bytes) else item) + parameters.get("mark", "")
"""
# `initialize` proves that a module of the archive wins over one of the same name beside the envelope.
INSTANCES = "def shout(text):\n    return text.upper()\n"
CONFIG = "minWorkers: 1\nmaxWorkers: 1\nbatchSize: 16\nmaxBatchDelay: 500\nresponseTimeout: 60\n"


class Server(NamedTuple):
    client: httpx.Client
    log: Path

    def post(self, body: bytes, route: str = "/predictions/model", **headers: str) -> httpx.Response:
        """Send bytes, as JSON unless `content_type` says otherwise."""
        content_type = headers.get("content_type", "application/json")
        return self.client.post(route, content=body, headers={"content-type": content_type})


@contextmanager
def envelope_server(store: Path) -> Iterator[Server]:
    """Serve one archive, written into `store`, until the end of the block."""
    write_archive(store, HANDLER, config=CONFIG, files={"instances.py": INSTANCES})
    log = store / "log.txt"
    with ServingProcess({"AIP_STORAGE_URI": str(store)}, log_path=log) as server:
        server.wait_ready(READY_SECONDS)
        with httpx.Client(base_url=server.base_url, timeout=ANSWER_SECONDS) as client:
            yield Server(client, log)
