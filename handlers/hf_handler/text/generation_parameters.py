"""The parameters that tasks take which write text, and which of them `generate` takes as they are."""

from collections.abc import Mapping

from hf_handler.bounds import STOP_CHARACTERS, STOP_STRINGS
from hf_handler.schema import (
    COUNT,
    FLAG,
    INPUT_TEXT,
    NEVER,
    NULL,
    NUMBER,
    TEXT,
    WHOLE,
    Schema,
    list_of,
    record,
)
from hf_handler.text.details import DETAILS_PARAMETERS
from hf_handler.text.reading_parameters import TRUNCATION
from hf_handler.without_effect import FETCHED, FORMATTED, PADDED

# Beyond these bounds scores are no numbers any more.
FACTOR: Schema = {"type": "number", "minimum": 0.0001, "maximum": 1000}
SHARE: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
PENALTY: Schema = {"type": "number", "minimum": -2, "maximum": 2}
STOP: Schema = {**TEXT, "minLength": 1, "maxLength": STOP_CHARACTERS}
# Those of `generate` that make sense for a server: none that names files, code or other models.
GENERATION: Mapping[str, Schema] = {
    "max_new_tokens": COUNT,
    "min_new_tokens": WHOLE,
    "max_length": COUNT,
    "min_length": WHOLE,
    "do_sample": FLAG,
    "temperature": FACTOR,
    "top_k": WHOLE,
    "top_p": SHARE,
    "min_p": SHARE,
    "typical_p": SHARE,
    "repetition_penalty": FACTOR,
    "frequency_penalty": PENALTY,
    "presence_penalty": PENALTY,
    "no_repeat_ngram_size": WHOLE,
    "num_beams": {**COUNT, "maximum": 32},
    "num_return_sequences": {**COUNT, "maximum": 32},
    "length_penalty": {**NUMBER, "minimum": -10, "maximum": 10},  # an exponent: large ones overflow
    "early_stopping": FLAG,
    "seed": WHOLE,
    "stop": {"anyOf": [STOP, {**list_of(STOP), "minItems": 1, "maxItems": STOP_STRINGS}]},
    "clean_up_tokenization_spaces": FLAG,
    "truncation": TRUNCATION,
    "stream": NEVER,
    **PADDED,
}
# Those of tasks that go on with a text or a conversation: what is told of how it was written; and what
# text-generation-inference can do and this handler can't, which its clients send with these values.
TOLD: Mapping[str, Schema] = {
    **DETAILS_PARAMETERS,
    "decoder_input_details": NEVER,
    "watermark": NEVER,
    "grammar": NULL,
    "adapter_id": NULL,
    **FORMATTED,
}
# Those of tasks that write to a text alone: what is put before it, and how many of its tokens are read.
WRITTEN_TO: Mapping[str, Schema] = {"prefix": INPUT_TEXT, "truncate": COUNT}
# What the pipeline of text generation takes for a prompt that is too long: this handler does it anyway.
LONG_PROMPTS: Mapping[str, Schema] = {
    "handle_long_generation": {"anyOf": [{"type": "string", "enum": ["hole"]}, NULL]}
}
GENERATION_ALIASES = {"max_tokens": "max_new_tokens", "stop_sequences": "stop", "stop_sequence": "stop"}
# Those of sampling: a default among them counts only where there is sampling.
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p")
# Of the parameters of any task that writes, those that `generate` doesn't take itself.
NOT_FOR_GENERATE = {
    "seed", "stop", "clean_up_tokenization_spaces", "stream", "return_full_text", "continue_final_message",
    "skip_special_tokens", "src_lang", "tgt_lang", "truncation", *WRITTEN_TO, *TOLD, *FETCHED, *PADDED,
    "frequency_penalty", "presence_penalty", "tools", *LONG_PROMPTS,
}  # fmt: skip
GENERATED: Schema = list_of(record({"generated_text": TEXT}))
