"""Long-running operations: work in a thread, polled until it is done."""

import logging
import threading
import time
from collections.abc import Callable

from vertex_torchserve.emulator.rest.listing import page
from vertex_torchserve.emulator.rest.names import new_id, now
from vertex_torchserve.emulator.rest.request import Json, Request, Routes
from vertex_torchserve.emulator.rest.rpc_status import RpcError, not_found

_LOG = logging.getLogger(__name__)
_TYPES = "type.googleapis.com/google.cloud.aiplatform.v1."
EMPTY: Json = {"@type": "type.googleapis.com/google.protobuf.Empty"}


class Operations:
    """The operations of this run; they are not kept over a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, Json] = {}
        self._threads: list[threading.Thread] = []

    def routes(self) -> Routes:
        """Where operations are polled and listed: below the location, and below models and endpoints."""
        owners = ("", "models/*/", "endpoints/*/")
        return {
            **{("GET", f"{owner}operations/*"): self._get for owner in owners},
            ("GET", "operations"): self._list,
        }

    def start(self, owner: str, kind: str, work: Callable[[], Json], *, response_type: str = "") -> Json:
        """Run `work` in the background; returns the pending operation.

        Args:
            owner: The name of the model, the endpoint or the location it is about.
            kind: `UploadModel`, `DeployModel`, ...: names the types of metadata and response.
            work: Returns the response; an RpcError becomes the operation's error.
            response_type: The response's message when it isn't `<kind>Response`.
        """
        operation_id = new_id()
        moment = now()
        pending: Json = {
            "name": f"{owner}/operations/{operation_id}",
            "metadata": {
                "@type": f"{_TYPES}{kind}OperationMetadata",
                "genericMetadata": {"createTime": moment, "updateTime": moment},
            },
        }

        def run() -> None:
            try:
                outcome: Json = {
                    "response": {"@type": _TYPES + (response_type or f"{kind}Response"), **work()}
                }
            except RpcError as error:
                outcome = {"error": error.status_json()}
            except Exception as error:
                # Whatever went wrong, the operation must end: a client polls it until it does.
                _LOG.exception("%s failed", kind)
                outcome = {"error": RpcError("INTERNAL", f"{type(error).__name__}: {error}").status_json()}
            with self._lock:
                self._operations[operation_id] = {**pending, "done": True, **outcome}

        thread = threading.Thread(target=run, name=f"operation-{kind}", daemon=True)
        with self._lock:
            self._operations[operation_id] = pending
            self._threads = [other for other in self._threads if other.is_alive()] + [thread]
            thread.start()
        return pending

    def wait(self, timeout_seconds: float) -> None:
        """Wait until the operations under way have ended, `timeout_seconds` in all."""
        deadline = time.monotonic() + timeout_seconds
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _list(self, request: Request) -> Json:
        """The operations of the location, those of its models and endpoints too."""
        with self._lock:
            operations = [
                operation
                for operation in self._operations.values()
                if operation["name"].startswith(f"{request.parent}/")
            ]
        return page(operations, request.query, collection="operations", id_field="operation")

    def _get(self, request: Request) -> Json:
        with self._lock:
            operation = self._operations.get(request.ids[-1])
        if operation is None:
            raise not_found(f"operations/{request.ids[-1]}")
        return operation
