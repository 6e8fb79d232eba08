"""text2text-generation: a text made of a text."""

from hf_handler.interface import Interface
from hf_handler.kinds.sequence_to_sequence import FROM_A_TEXT, SequenceToSequence, answers


class Text2TextGeneration(SequenceToSequence):
    """A text made of a text."""

    name = "text2text-generation"
    answer_name = "generated_text"
    interface = Interface(**FROM_A_TEXT, **answers(answer_name))
