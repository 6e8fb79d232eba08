"""How many tokens a model that writes read and wrote, told to TorchServe's metrics."""

from collections.abc import Iterable
from typing import Any

from hf_handler.items import Query

READ, WRITTEN = "vts_prompt_tokens_total", "vts_generated_tokens_total"


def count_tokens(queries: Iterable[Query], context: Any) -> None:
    """Add the tokens of queries for which something was written to the counters of their model.

    Each counter is a line that the worker prints, once a batch; models that don't write print none.

    Args:
        queries: Of a batch; those that failed are not counted.
        context: TorchServe's; its `metrics` take the sums of the batch. A caller's own may have none.
    """
    metrics = getattr(context, "metrics", None)
    if metrics is None:
        return
    written = [query for query in queries if query.written and query.failure is None]
    if written:
        metrics.add_counter(READ, sum(query.tokens for query in written))
        metrics.add_counter(WRITTEN, sum(query.written for query in written))
