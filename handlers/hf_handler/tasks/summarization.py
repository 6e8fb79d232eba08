"""summarization: a shorter text."""

from hf_handler.interface import Interface
from hf_handler.kinds.sequence_to_sequence import FROM_A_TEXT, SequenceToSequence, answers


class Summarization(SequenceToSequence):
    """A shorter text."""

    name = "summarization"
    answer_name = "summary_text"
    interface = Interface(**FROM_A_TEXT, **answers(answer_name))
