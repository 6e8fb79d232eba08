"""text2text-generation: a text made of a text."""

from typing import ClassVar

from hf_handler.kinds.generation import GENERATED
from hf_handler.kinds.sequence_to_sequence import SequenceToSequence


class Text2TextGeneration(SequenceToSequence):
    """A text made of a text."""

    name = "text2text-generation"
    answer_name = "generated_text"
    prediction: ClassVar = GENERATED
