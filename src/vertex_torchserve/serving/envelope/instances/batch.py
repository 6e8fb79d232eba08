"""One TorchServe batch: the handler runs once for all of it, and again one by one when that fails."""

import contextlib
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from ts.context import RequestProcessor

from .answer_head import AnswerHead, UnusableHeadError
from .failure import Failure
from .request import MalformedRequestError, Request, read_request
from .response import as_predictions, error_body, predictions_body, written_body
from .stock_rows import as_row, reads_rows
from .streamed_parts import PartSocket

logger = logging.getLogger(__name__)

Requests = dict[int, Request]  # by their index in TorchServe's batch


class Batch:
    """The requests TorchServe handed over together, and their answers so far.

    Args:
        handle_fn: The handler's `handle(data, context)`.
        rows: One a request, as TorchServe hands them over.
        context: TorchServe's context; its `request_processor` carries the headers that each request came
            with; gets the status and headers of each answer.
    """

    def __init__(
        self, handle_fn: Callable[[list[Any], Any], Any], rows: Sequence[dict[str, Any]], context: Any
    ) -> None:
        self._handle_fn = handle_fn
        self._reads_rows = reads_rows(handle_fn)
        self._rows = rows
        self._context = context
        self._ids: dict[int, str] = getattr(context, "request_ids", None) or {}
        processors = getattr(context, "request_processor", None) or [RequestProcessor({}) for _ in rows]
        self._heads = [AnswerHead(processor) for processor in processors]
        self._socket = getattr(context, "cl_socket", None)
        self._bodies: dict[int, str] = {}
        self._failures: dict[int, Any] = {}
        self._written: dict[int, Any] = {}

    async def answer(self) -> list[str]:
        """Answer every request; returns the JSON bodies in order. Waits only for an `async def handle`."""
        requests: Requests = {}
        for index in range(len(self._rows)):
            try:
                request = self._request(index)
            except MalformedRequestError as error:
                request_id = self._ids.get(index)
                logger.warning(
                    "request %s answered 400: it is malformed", request_id, extra={"request_id": request_id}
                )
                self._set_error(index, HTTPStatus.BAD_REQUEST, str(error))
                continue
            if request.instances:
                requests[index] = request
            else:
                self._bodies[index] = predictions_body([])
        for group in self._by_route(requests):
            await self._predict(group)
        for index, head in enumerate(self._heads):
            try:
                head.complete("application/json")
            except UnusableHeadError as error:
                head.clear()
                self._fail(index, Failure.of(error))
                head.complete("application/json")
        self._context.request_processor = self._heads  # what TorchServe reads the answers' heads from
        return [self._bodies[index] for index in range(len(self._rows))]

    def _request(self, index: int) -> Request:
        whole_bodies = getattr(self._context, "whole_bodies", ())
        return read_request(self._rows[index], self._heads[index].get_request_properties(), whole_bodies)

    def _by_route(self, requests: Requests) -> list[Requests]:
        """Predictions and explanations apart: a handler asks the first request of a batch which it is."""
        groups: tuple[Requests, Requests] = ({}, {})
        for index, request in requests.items():
            explain = self._heads[index].get_request_property("explain") == "True"
            groups[explain][index] = request
        return [group for group in groups if group]

    async def _predict(self, requests: Requests) -> None:
        failure = await self._run(requests)
        if failure is None:
            return
        if len(requests) == 1 or not self._may_run_again(requests):
            for index in requests:
                self._fail(index, failure)
            return
        for index in requests:
            # Read again: the handler may have changed head and instances before it failed.
            self._heads[index].clear()
            await self._predict({index: self._request(index)})

    async def _run(self, requests: Requests) -> Failure | None:
        """Run the handler once for `requests`; returns what went wrong, if anything did.

        A `Failure` is returned in place of an exception: an exception's traceback would keep the tensors of
        the failed batch in memory while its requests run one by one.
        """
        instances = [instance for request in requests.values() for instance in request.instances]
        if self._reads_rows:
            instances = [as_row(instance) for instance in instances]
        try:
            with self._narrowed_context(requests):
                results = await self._call(requests, instances)
            predictions = as_predictions(results, len(instances))
        except Exception as error:
            return Failure.of(error)
        end = 0
        for index, request in requests.items():
            begin, end = end, end + len(request.instances)
            failed = next((self._failures[n] for n in range(begin, end) if n in self._failures), None)
            if failed is not None:
                self._fail(index, Failure.named(failed))
                if begin in self._written:
                    self._bodies[index] = written_body(self._written[begin])
                continue
            try:
                if begin in self._written and end - begin == 1:
                    self._bodies[index] = written_body(self._written[begin])
                else:
                    self._bodies[index] = self._body(index, list(predictions[begin:end]))
            except Exception as error:
                self._fail(index, Failure.of(error))
        return None

    async def _call(self, _requests: Requests, instances: list[Any]) -> Any:
        results = self._handle_fn(instances, self._context)
        return await results if inspect.isawaitable(results) else results

    @contextlib.contextmanager
    def _narrowed_context(self, requests: Requests) -> Iterator[None]:
        """The context as if `requests` were the whole batch, so that index i of it is request i of them."""
        context = self._context
        context.instance_parameters = [
            dict(request.parameters) for request in requests.values() for _ in request.instances
        ]
        context.instance_requests = [
            position for position, request in enumerate(requests.values()) for _ in request.instances
        ]
        context.instance_is_body = [
            request.is_body for request in requests.values() for _ in request.instances
        ]
        context.instance_failures = self._failures = {}
        context.instance_bodies = self._written = {}
        context.request_processor = heads = [self._heads[index] for index in requests]
        context.cl_socket = PartSocket(self._socket, heads)
        context.request_ids = {
            position: self._ids[index] for position, index in enumerate(requests) if index in self._ids
        }
        try:
            yield
        finally:
            context.request_processor = self._heads
            context.request_ids = self._ids
            context.cl_socket = self._socket

    def _body(self, index: int, predictions: list[Any]) -> str:
        if not self._heads[index].tells_an_error:
            return predictions_body(predictions)
        is_text = len(predictions) == 1 and isinstance(predictions[0], str)
        return error_body(predictions[0] if is_text else predictions_body(predictions))

    def _may_run_again(self, requests: Requests) -> bool:
        """Whether no part of an answer has been sent; running the handler again would send it twice."""
        return not any(self._heads[index].has_streamed for index in requests)

    def _fail(self, index: int, failure: Failure) -> None:
        request_id = self._ids.get(index)
        server_error = failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        logger.log(
            logging.ERROR if server_error else logging.WARNING,
            "request %s answered %d: %s",
            request_id, failure.status, failure.trace,
            extra={"request_id": request_id},
        )  # fmt: skip
        message = failure.message
        if server_error:
            message = f"{message} (request {request_id})"
        self._set_error(index, failure.status, message)

    def _set_error(self, index: int, status: int, message: str) -> None:
        known = status in HTTPStatus.__members__.values()
        self._heads[index].report_status(status, HTTPStatus(status).phrase if known else "")
        self._bodies[index] = error_body(message)
