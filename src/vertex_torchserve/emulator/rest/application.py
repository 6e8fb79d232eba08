"""The REST interface: from an HTTP request to the method it names, and back as Google's JSON."""

import json
import logging
import re
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from vertex_torchserve.emulator.rest.message_types import checked
from vertex_torchserve.emulator.rest.names import camel_case, project_number
from vertex_torchserve.emulator.rest.request import Answer, Handler, Json, Request, Routes
from vertex_torchserve.emulator.rest.rpc_status import RpcError, invalid, not_emulated

_LOG = logging.getLogger(__name__)
# The client polls operations below /ui/, the first binding of its service description.
_PATH = re.compile(r"/(?:v1|ui)/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/(?P<rest>.+)")
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def application(routes: Routes) -> Starlette:
    """The ASGI application that answers `routes`.

    Args:
        routes: (HTTP method, path below the location with `*` for ids, `:verb` at the end) to handler.
    """

    async def answer(http: HttpRequest) -> Response:
        raw_body = await http.body()
        try:
            handler, request = _dispatch(routes, http, raw_body)
            return _response(await run_in_threadpool(handler, request))
        except RpcError as error:
            return _json(error.http_json(), error.http_status)
        except Exception as error:
            # The client expects Google's JSON whatever happens; the traceback goes to the log.
            _LOG.exception("%s %s failed", http.method, http.url.path)
            internal = RpcError("INTERNAL", f"{type(error).__name__}: {error}")
            return _json(internal.http_json(), internal.http_status)

    return Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)])


def _dispatch(routes: Routes, http: HttpRequest, raw_body: bytes) -> tuple[Handler, Request]:
    path = _PATH.fullmatch(http.url.path)
    if not path:
        raise not_emulated(f"{http.method} {http.url.path}")
    pattern, ids = _pattern(path["rest"])
    handler = routes.get((http.method, pattern))
    if not handler:
        raise not_emulated(f"{http.method} {pattern}")
    raw = pattern.endswith(":rawPredict")
    return handler, Request(
        parent=f"projects/{project_number(path['project'])}/locations/{path['location']}",
        ids=ids,
        body={} if raw else checked(_parse(raw_body), (http.method, pattern)),
        query={camel_case(key): value for key, value in http.query_params.items()},
        raw_body=raw_body,
        content_type=http.headers.get("content-type", "application/json"),
    )


def _pattern(rest: str) -> tuple[str, tuple[str, ...]]:
    """`models/7@1:mergeVersionAliases` to `models/*:mergeVersionAliases` and ("7@1",)."""
    segments = rest.split("/")
    last, colon, verb = segments[-1].partition(":")
    segments[-1] = last
    ids = tuple(segments[1::2])
    segments[1::2] = ["*"] * len(ids)
    return "/".join(segments) + colon + verb, ids


def _parse(raw_body: bytes) -> Json:
    if not raw_body:
        return {}
    try:
        body = json.loads(raw_body)
    except (ValueError, RecursionError):
        raise invalid("Invalid JSON payload received.") from None
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received: an object is accepted.")
    return body


def _response(answer: Json | Answer) -> Response:
    if isinstance(answer, Answer):
        return Response(answer.body, answer.status, headers=dict(answer.headers))
    return _json(answer, 200)


def _json(body: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
