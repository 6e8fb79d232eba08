"""The playground: one page on loopback, made from what the archive says it takes; it asks the model."""

import json
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from types import TracebackType

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from vertex_torchserve.local_service.example import ServedModel

_FOLDER = Path(__file__).parent
_SECONDS = 600.0
# The page holds its scripts and styles itself, and asks nobody but its own server.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "media-src data: blob:; connect-src 'self'; form-action 'none'; base-uri 'none'"
)


class Playground:
    """The page's server, on a free port of 127.0.0.1, until `stop`.

    Attributes:
        url: The page's address.
    """

    def __init__(self) -> None:
        self._model: ServedModel | None = None
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        # Other names would let pages of other sites ask the model through a name that leads here.
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        routes = [Route("/", self._page), Route("/ask", self._ask, methods=["POST"])]
        application = Starlette(routes=routes, middleware=[hosts])
        self._server = uvicorn.Server(
            uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=1, lifespan="off")
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="playground", daemon=True
        )
        self._thread.start()

    def show(self, model: ServedModel) -> None:
        """Show this model from now on."""
        self._model = model

    def stop(self) -> None:
        """End the server."""
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> "Playground":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _page(self, _: Request) -> Response:
        if self._model is None:
            return HTMLResponse("The model is not served yet.", 503)
        model = self._model
        told = {
            "name": model.name,
            "url": model.url,
            "task": model.task,
            "instance": model.instance,
            "parameters": model.parameters or {},
            "schemas": dict(model.schemas),
        }
        # "</script>" in a text would end the element that holds it.
        text = json.dumps(told).replace("<", "\\u003c")
        page = (_FOLDER / "page.html").read_text(encoding="utf-8")
        script = (_FOLDER / "streamed_answer.js").read_text(encoding="utf-8")
        page = page.replace("@STREAMED_ANSWER@", script).replace("@MODEL@", text)
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    async def _ask(self, request: Request) -> Response:
        if self._model is None:
            return Response(status_code=503)
        # A form of another site can't send this type without being asked first, and nobody answers that.
        if request.headers.get("content-type") != "application/json":
            return Response("application/json is accepted", 415)
        asked = httpx.Request(
            "POST",
            self._model.url,
            headers={"Content-Type": "application/json"},
            content=await request.body(),
            extensions={"timeout": httpx.Timeout(_SECONDS).as_dict()},
        )
        client = httpx.AsyncClient(trust_env=False)
        try:
            answer = await client.send(asked, stream=True)
        except httpx.HTTPError as error:
            await client.aclose()
            return Response(f"the model does not answer: {error!r}", 502)
        kind = answer.headers.get("content-type")
        return StreamingResponse(_parts(client, answer), answer.status_code, media_type=kind)


async def _parts(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    """The answer as it comes; what is missing when the model's server ends, the page sees itself."""
    async with aclosing(client), aclosing(answer):
        with suppress(httpx.HTTPError):
            async for part in answer.aiter_bytes():
                yield part
