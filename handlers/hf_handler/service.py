"""A loaded model: requests in, answers out."""

import logging
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from hf_handler.allowance import Allowance
from hf_handler.archive import Archive
from hf_handler.arrays import json_text, listed
from hf_handler.choice import choose_task
from hf_handler.costly import asked_of
from hf_handler.failures import (
    failure_of,
    first_failure,
    log_failure,
    positions_of,
    raise_failure,
    refuse_request,
    report_truncated,
)
from hf_handler.items import Query
from hf_handler.postponing import Postponed, hand_back, tell_costly
from hf_handler.published_schemas import tell_schemas
from hf_handler.registry import task_class
from hf_handler.request_forms.events import error_body
from hf_handler.requests import Request, open_request
from hf_handler.schema import Parameters, Refused
from hf_handler.task import requests_of_failed
from hf_handler.threads import ThreadShare
from hf_handler.token_counters import count_tokens
from hf_handler.waiting import Waiting

logger = logging.getLogger(__name__)

# Our server names in it a file through which its workers lend each other their cores.
WORKER_TIMES = "VTS_WORKER_TIMES"
# The same with a file in which it wants to be told what is taken and answered.
SCHEMAS = "VTS_SCHEMAS"


class Service:
    """A loaded model: answers the batches TorchServe hands over.

    Args:
        context: TorchServe's `ts.context.Context`; its `model_yaml_config` may have a mapping `handler`.

    Raises:
        ValueError: The settings, the model's task or its weights can't be used.
    """

    def __init__(self, context: Any) -> None:
        started = time.monotonic()
        # cuDNN's attention makes a plan for each shape it hasn't seen: up to 0.2 s for each token of a text
        # that is written (docs/decisions/0044). The other kernels need none.
        torch.backends.cuda.enable_cudnn_sdp(False)
        archive = Archive.of(context)
        self.settings = archive.settings
        name = choose_task(archive.settings.task, archive.folder)
        kind = task_class(name).class_for(archive)
        shares = kind.shares_threads and archive.device.type == "cpu"
        # For envelopes that would take a body without `instances` for a mistake.
        context.whole_bodies = tuple(form.mark for form in kind.interface.request_forms)
        threads = ThreadShare(os.environ.get(WORKER_TIMES) if shares else None)
        self.task = kind(archive, name, threads)
        # What it advises at each call (both lengths are set, ...) is for who writes the call.
        transformers.logging.set_verbosity_error()
        if os.environ.get(SCHEMAS):
            tell_schemas(self.task.interface, Path(os.environ[SCHEMAS]))
        self.task.warm_up()
        self.task.share_threads()
        logger.info(
            "%s on %s, packs of %d, loaded and warmed up in %.1f s",
            self.task.name, self.task.device, self.task.packs.budget, time.monotonic() - started,
        )  # fmt: skip

    def answer(self, data: list[Any], context: Any) -> list[Any]:
        """Answer instances (an envelope took the requests apart) or whole requests (no envelope)."""
        for index in range(len(context.request_processor or [])):
            context.set_response_content_type(index, "application/json")
        parameters = getattr(context, "instance_parameters", None)
        if parameters is None and all(
            isinstance(row, dict) and ("body" in row or "data" in row) for row in data
        ):
            return self._answer_requests(data, context)
        return self._answer_instances(data, parameters, context)

    def _answer_instances(self, data: Sequence[Any], parameters: Any, context: Any) -> list[Any]:
        """Answer the instances an envelope hands over.

        An envelope that can fail one request alone says which request each instance is of
        (`context.instance_requests`) and takes failures (`context.instance_failures`, index to status and
        message). For any other, the first failure fails the call.
        """
        sink: dict[int, tuple[int, str]] | None = getattr(context, "instance_failures", None)
        requests = getattr(context, "instance_requests", None)
        if requests is None and len(context.request_processor or []) == 1:
            requests = [0] * len(data)
        of_request = requests or [None] * len(data)
        are_bodies = getattr(context, "instance_is_body", None) or [False] * len(data)
        positions = positions_of(of_request)
        queries = self._read_all(data, parameters or [{}] * len(data), of_request, are_bodies, context)
        if sink is None:
            for query, position in zip(queries, positions, strict=True):
                if query.failure is not None:
                    raise_failure(query.failure, position)
        self._answer(queries, context)
        for index, query in enumerate(queries):
            if query.failure is not None:
                if sink is None:
                    raise_failure(query.failure, positions[index])
                if not isinstance(query.failure, Refused):
                    log_failure(query.failure)
                sink[index] = failure_of(query.failure, positions[index])
        report_truncated(queries, positions, context)
        write_bodies(queries, of_request, are_bodies, context)
        # Our envelope, which takes failures, writes arrays itself, and faster than lists.
        return [query.prediction if sink is not None else listed(query.prediction) for query in queries]

    def _answer_requests(self, rows: Sequence[Mapping[str, Any]], context: Any) -> list[Any]:
        """Answer each request by itself; one that can't be used gets its own status and touches no other."""
        answers: list[Any] = [None] * len(rows)
        opened: list[tuple[int, Request, list[Query]]] = []
        for index, row in enumerate(rows):
            name = "body" if "body" in row else "data"
            headers = context.get_all_request_header(index) if context.request_processor else {}
            content_type = (headers.get(name) or {}).get("content-type") or ""
            try:
                request = open_request(
                    row[name], content_type, self.task.is_one, self.task.interface.takes_file
                )
            except Refused as error:
                answers[index] = refuse_request(context, index, error.status, str(error))
                continue
            count = len(request.instances)
            queries = self._read_all(
                request.instances,
                [request.parameters] * count,
                [index] * count,
                [request.is_instance] * count,
                context,
            )
            failed = first_failure(queries)
            if failed is not None:
                answers[index] = refuse_request(context, index, *failed)
                continue
            opened.append((index, request, queries))
        everything = [query for _, _, queries in opened for query in queries]
        self._answer(everything, context)
        for index, request, queries in opened:
            failed = first_failure(queries)
            if failed is not None:
                answers[index] = refuse_request(context, index, *failed)
                continue
            report_truncated(queries, range(len(queries)), context)
            (first, *others) = queries
            if first.reply is not None and not others:
                answers[index] = body_of(first, request.is_instance)
            else:
                answers[index] = request.close([listed(query.prediction) for query in queries])
        return answers

    def _allowances(self, requests: Sequence[int | None], context: Any) -> list[Allowance]:
        """Return what the request of each instance may ask for.

        An instance of a request that the envelope doesn't tell is taken for a request of its own: it must not
        fail because of others'.
        """
        seconds = self.settings.max_request_seconds
        processors = dict(enumerate(context.request_processor or []))
        known = {
            request: Allowance(
                self.settings,
                Waiting.of(processors.get(request), seconds),
                instances,
                asked_of(processors.get(request)),
            )
            for request, instances in Counter(requests).items()
            if request is not None
        }
        return [
            Allowance(self.settings, Waiting.of(None, seconds)) if request is None else known[request]
            for request in requests
        ]

    def _read_all(
        self,
        instances: Sequence[Any],
        parameters: Sequence[Parameters],
        requests: Sequence[int | None],
        are_bodies: Sequence[bool],
        context: Any,
    ) -> list[Query]:
        """Read instances, each with its parameters, its request, and whether it is the whole body of that.

        Those behind a request's first bad instance are left unread: nobody gets their predictions, and a
        request of many bad ones would take seconds to refuse.
        """
        unread: dict[int | None, Query] = {}  # one for all of them: a hundred thousand take a second to make
        queries = []
        for instance, given, request, is_body, allowance in zip(
            instances, parameters, requests, are_bodies, self._allowances(requests, context), strict=True
        ):
            query = unread.get(request) or self._read(instance, given, allowance, is_body)
            query.request = request
            if query.failure is not None and request is not None:
                unread[request] = Query({}, {}, request)
            queries.append(query)
        return queries

    def _read(self, instance: Any, parameters: Parameters, allowance: Allowance, is_body: bool) -> Query:
        try:
            allowance.check_instances()
            return self.task.read(instance, parameters, allowance, is_body)
        except Refused as error:
            return Query({}, {}, failure=error)

    def _answer(self, queries: Sequence[Query], context: Any) -> None:
        failed = requests_of_failed(queries)
        usable = [query for query in queries if query.failure is None and query.request not in failed]
        for query in usable:
            for part in query.parts:
                part.request = query.request
        asked = [part for query in usable for part in query.parts or [query]]
        if asked:
            self.task.answer(asked, context)
            count_tokens(asked, context)
        for query in usable:
            if any(isinstance(part.failure, Postponed) for part in query.parts or [query]):
                hand_back(query, context)
            else:
                tell_costly(query, context)
                self.task.respond(query)


def write_bodies(
    queries: Sequence[Query], of_request: Sequence[int | None], are_bodies: Sequence[bool], context: Any
) -> None:
    """Write the bodies of answers to requests of other APIs, for an envelope that takes them.

    Args:
        queries: Answered.
        of_request: The request of each.
        are_bodies: Whether each is the whole body of its request.
        context: TorchServe's; `instance_bodies` is the envelope's.
    """
    bodies = getattr(context, "instance_bodies", None)
    if bodies is None:
        return
    instances = Counter(of_request)
    for index, (query, request) in enumerate(zip(queries, of_request, strict=True)):
        if instances[request] != 1:
            continue
        if query.failure is not None and are_bodies[index]:
            bodies[index] = error_body(*failure_of(query.failure, 0))
        elif query.failure is None and query.reply is not None:
            bodies[index] = body_of(query, are_bodies[index])


def body_of(query: Query, is_body: bool) -> str:
    """Return the whole body of the answer to a request whose one instance came in a form of another API.

    Args:
        query: Answered.
        is_body: Whether the request was of that form itself; else the answer is its `predictions`.
    """
    if query.rest is not None:
        return query.rest
    return json_text(query.prediction if is_body else {"predictions": query.prediction})
