"""The HTTP server of the Vertex AI subset, in a thread, on a socket that is bound before it starts."""

import socket
import threading

import uvicorn
from starlette.applications import Starlette

# Requests under way get this long at the end; the model servers behind them have stopped by then.
_GRACE_SECONDS = 5


class VertexServer:
    """An ASGI application that answers from `start` to `stop`.

    Args:
        app: What answers.
        listener: A listening socket; clients that connect before `start` wait in its queue.
    """

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="vertex-emulator", daemon=True
        )

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering; does nothing when it was never started."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
