"""summarization: a shorter text."""

from typing import ClassVar

from hf_handler.kinds.sequence_to_sequence import SequenceToSequence
from hf_handler.schema import TEXT, list_of, record


class Summarization(SequenceToSequence):
    """A shorter text."""

    name = "summarization"
    answer_name = "summary_text"
    prediction: ClassVar = list_of(record({"summary_text": TEXT}))
