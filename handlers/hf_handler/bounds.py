"""How much is taken of what costs work: each bound has a default here, and a setting that changes it."""

from collections.abc import Mapping
from typing import Any


class Bound(int):
    """The most that is taken of something: a whole number that knows the setting which changes it.

    It stands in JSON Schemas like any number, so a schema says what an operator can raise.

    Args:
        value: The number.
        setting: The key under `handler` in model-config.yaml.
    """

    setting: str

    def __new__(cls, value: int, setting: str) -> "Bound":
        """Make the number."""
        bound = super().__new__(cls, value)
        bound.setting = setting
        return bound

    def set_by(self, settings: object) -> "Bound":
        """Return this bound as an operator has set it."""
        return Bound(getattr(settings, self.setting), self.setting)


def set_by(settings: object, schema: Any) -> Any:
    """Return a JSON Schema, or a part of one, with its bounds as an operator has set them."""
    if isinstance(schema, Bound):
        return schema.set_by(settings)
    if isinstance(schema, Mapping):
        return {key: set_by(settings, value) for key, value in schema.items()}
    return [set_by(settings, value) for value in schema] if isinstance(schema, list) else schema


# -- What one text, list or table of an instance may have --

# A token is about four characters: twice the tokens that most models of long texts read, 131,072.
TEXT_CHARACTERS = Bound(1_000_000, "max_text_characters")
# What a list had already, ten times the labels of most zero-shot examples and more than ImageNet's classes.
LABELS = Bound(1_000, "max_labels")
# A label is a word or a sentence: this is a page of text.
LABEL_CHARACTERS = Bound(2_000, "max_label_characters")
# OpenAI's API takes 4.
STOP_STRINGS = Bound(8, "max_stop_strings")
STOP_CHARACTERS = Bound(1_000, "max_stop_characters")
# Five hundred turns.
MESSAGES = Bound(1_000, "max_messages")
# TAPAS numbers the rows and columns of a table with a byte: `type_vocab_sizes` of its config.
TABLE_ROWS = Bound(255, "max_table_rows")
TABLE_COLUMNS = Bound(255, "max_table_columns")

# -- What the instances of one request may have together --

# A batch prediction job of Vertex AI sends 64 instances a request unless told otherwise; OpenAI's embeddings
# take 2,048.
REQUEST_ROWS = Bound(16_384, "max_request_rows")
# Twice the text in the largest body of a Vertex AI endpoint that is not dedicated, 1.5 MB; a few seconds of
# tokenizing.
REQUEST_CHARACTERS = Bound(4_000_000, "max_request_characters")
# 1,024 texts of 256 tokens, the default length; an hour at 70 tokens a second.
REQUEST_NEW_TOKENS = Bound(262_144, "max_request_new_tokens")
# Four times the 64 instances of a batch prediction job: what a model sees of each is a MB or ten.
REQUEST_IMAGES = Bound(256, "max_request_images")
# Twenty photos of a telephone, 12 million pixels each; some seven seconds of decoding.
REQUEST_PIXELS = Bound(250_000_000, "max_request_pixels")
# An hour at 48,000 a second in one channel, half an hour in two: 0.7 GB as floats.
AUDIO_SAMPLES = Bound(172_800_000, "max_audio_samples")
