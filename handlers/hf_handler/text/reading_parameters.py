"""The parameters of tasks that read a text: what becomes of one that is too long."""

from collections.abc import Mapping

from hf_handler.schema import COUNT, FLAG, Parameters, Schema
from hf_handler.without_effect import PADDED

NOT_CUT = "do_not_truncate"
# By transformers' names: the longest of two texts is cut, the first, the second, or none.
STRATEGIES = ("longest_first", "only_first", "only_second")
TRUNCATION: Schema = {"anyOf": [FLAG, {"type": "string", "enum": [*STRATEGIES, NOT_CUT]}]}
READING: Mapping[str, Schema] = {"truncation": TRUNCATION, "max_length": COUNT, **PADDED}
READING_ALIASES = {"truncate": "truncation"}


def may_be_cut(parameters: Parameters, usual: bool) -> bool:
    """Say whether a text that is too long may be cut.

    Args:
        parameters: Of a query, checked.
        usual: What the operator has set.
    """
    return parameters.get("truncation", usual) not in {False, NOT_CUT}
