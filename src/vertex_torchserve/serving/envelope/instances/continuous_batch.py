"""One step of continuous batching: each request of the batch gets the next part of its answer.

TorchServe's worker calls the handler again and again with all requests that are not answered to their end;
after the first time they come without a body (`ContinuousBatching.java`). The handler says in
`context.stopping_criteria`, one function for each request, whether what it returned was the last part.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .batch import Batch, Requests
from .request import MalformedRequestError, Request
from .response import predictions_body

_FIRST, _NEXT, _LAST = '{"predictions": [[', ", ", "]]}"


OpenAnswers = dict[str, Request]  # those of which a part has been sent, by request id


class ContinuousBatch(Batch):
    """A batch of which each request has one instance, and of which each answer comes in parts.

    The parts of an answer together are one JSON text, `{"predictions": [[part, part, ...]]}`: one prediction,
    the list of all that the handler returned for the instance. When a request fails after its first part, the
    text ends with `]], "error": "..."}`, as its status has been sent. The handler gets the instances at every
    step. It is never called a second time for one step: it has changed its caches by then.

    Args:
        handle_fn: The handler's `handle(data, context)`.
        rows: One a request, as TorchServe hands them over; empty for those that it has handed over before.
        context: TorchServe's context; gets a criterion for each request.
        open_answers: What is left open from the last step; holds afterwards what this one leaves open.
    """

    def __init__(
        self,
        handle_fn: Callable[[list[Any], Any], Any],
        rows: Sequence[dict[str, Any]],
        context: Any,
        open_answers: OpenAnswers,
    ) -> None:
        super().__init__(handle_fn, rows, context)
        self._open_answers = open_answers
        self._requests: dict[int, Request] = {}
        self._goes_on: set[int] = set()

    async def answer(self) -> list[str]:
        """Answer every request; returns the next part of each in order."""
        bodies = await super().answer()
        begun = [self._has_begun(index) for index in range(len(bodies))]
        self._context.stopping_criteria = [
            partial(_stops, goes_on=index in self._goes_on, begun=begun[index])
            for index in range(len(bodies))
        ]
        # TorchServe sends all open requests at every step: what is not among these was given up.
        left = {self._ids[index]: self._requests[index] for index in self._goes_on}
        self._open_answers.clear()
        self._open_answers.update(left)
        return bodies

    def _request(self, index: int) -> Request:
        known = self._open_answers.get(self._ids.get(index, ""))
        request = known or super()._request(index)
        if len(request.instances) != 1:
            raise MalformedRequestError(
                f"this model answers one instance a request, got {len(request.instances)}"
            )
        self._requests[index] = request
        return request

    async def _call(self, requests: Requests, instances: list[Any]) -> Any:
        self._context.stopping_criteria = []
        results = await super()._call(requests, instances)
        criteria = self._context.stopping_criteria or []
        self._goes_on |= {
            index
            for index, criterion, result in zip(requests, criteria, results, strict=False)
            if criterion(result) in (False, 0)
        }
        return results

    def _body(self, index: int, predictions: list[Any]) -> str:
        whole = predictions_body([predictions])
        part = whole.removeprefix(_FIRST).removesuffix(_LAST)
        start = _NEXT if self._has_begun(index) else _FIRST
        return start + part + ("" if index in self._goes_on else _LAST)

    def _may_run_again(self, requests: Requests) -> bool:  # noqa: ARG002
        return False

    def _set_error(self, index: int, status: int, message: str) -> None:
        super()._set_error(index, status, message)
        self._goes_on.discard(index)
        if self._has_begun(index):
            self._bodies[index] = f"]], {self._bodies[index].removeprefix('{')}"

    def _has_begun(self, index: int) -> bool:
        return self._ids.get(index) in self._open_answers


def _stops(_part: str, *, goes_on: bool, begun: bool) -> bool | None:
    """What TorchServe asks of each part that it sends; None for an answer that is not in parts."""
    return None if not goes_on and not begun else not goes_on
