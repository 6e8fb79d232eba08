"""The REST interface: from an HTTP request to the method it names, and back as Google's JSON."""

import json
import logging
import re
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vertex_torchserve.emulator.rest.message_types import parsed
from vertex_torchserve.emulator.rest.names import project_number
from vertex_torchserve.emulator.rest.request import Answer, Handler, Json, Request, Routes
from vertex_torchserve.emulator.rest.rpc_status import RpcError, invalid, not_emulated
from vertex_torchserve.emulator.rest.unemulated_fields import refuse_unemulated

_LOG = logging.getLogger(__name__)
# The client polls operations below /ui/, the first binding of its service description.
_PATH = re.compile(
    r"/(?P<version>v1|v1beta1|ui)/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/(?P<rest>.+)"
)
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
# A method with the path that OpenAI's clients add to an address, not with a verb behind a colon.
_CHAT = "/chat/completions"
# Methods whose body is the container's own, not a message. Of v1beta1 only these are emulated: it has other
# messages.
_RAW = (":rawPredict", ":streamRawPredict", _CHAT)
# What https://oauth2.googleapis.com/token answers: nobody's credentials are checked.
_TOKEN = {"access_token": "emulator", "expires_in": 3600, "token_type": "Bearer"}
# Parameters that every Google API has beside those with a `$` (cloud.google.com/apis/docs/system-parameters).
# `fields` and `callback` change the answer and are not among them: they are refused as unknown.
_SYSTEM_PARAMETERS = {"alt", "key", "quotaUser", "prettyPrint", "access_token", "oauth_token", "uploadType"}


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

    async def token(_http: HttpRequest) -> Response:
        return _json(_TOKEN, 200)

    return Starlette(
        routes=[Route("/token", token, methods=["POST"]), Route("/{path:path}", answer, methods=_METHODS)]
    )


def _dispatch(routes: Routes, http: HttpRequest, raw_body: bytes) -> tuple[Handler, Request]:
    path = _PATH.fullmatch(http.url.path)
    if not path:
        raise not_emulated(f"{http.method} {http.url.path}")
    pattern, ids = _pattern(path["rest"])
    handler = routes.get((http.method, pattern))
    raw = pattern.endswith(_RAW)
    if not handler or (path["version"] == "v1beta1" and not raw):
        raise not_emulated(f"{http.method} {path['version']} {pattern}")
    method = (http.method, pattern)
    message = parsed({} if raw else _parse(raw_body), _own_parameters(http), method)
    refuse_unemulated(message.query, method)
    return handler, Request(
        parent=f"projects/{project_number(path['project'])}/locations/{path['location']}",
        ids=ids,
        body=message.body,
        query=message.query,
        raw_body=raw_body,
        headers=http.headers,
    )


def _pattern(rest: str) -> tuple[str, tuple[str, ...]]:
    """`models/7@1:mergeVersionAliases` to `models/*:mergeVersionAliases` and ("7@1",)."""
    chat = _CHAT if rest.endswith(_CHAT) else ""
    segments = rest.removesuffix(chat).split("/")
    last, colon, verb = segments[-1].partition(":")
    segments[-1] = last
    ids = tuple(segments[1::2])
    segments[1::2] = ["*"] * len(ids)
    return "/".join(segments) + colon + verb + chat, ids


def _own_parameters(http: HttpRequest) -> dict[str, str]:
    """The query parameters without those that every Google API has."""
    return {
        name: value
        for name, value in http.query_params.items()
        if name not in _SYSTEM_PARAMETERS and not name.startswith("$")
    }


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
    if not isinstance(answer, Answer):
        return _json(answer, 200)
    headers = dict(answer.headers)
    if isinstance(answer.body, bytes):
        return Response(answer.body, answer.status, headers=headers)
    return StreamingResponse(answer.body, answer.status, headers=headers)


def _json(body: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
