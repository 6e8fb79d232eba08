"""Parameters that pipelines take and that change no answer here: a client need not take them out."""

from collections.abc import Mapping

from hf_handler.schema import COUNT, FLAG, NULL, WHOLE, Schema

# Instances are put into batches by their lengths, whatever a client says.
BATCHES: Mapping[str, Schema] = {"batch_size": COUNT, "num_workers": WHOLE}
# What is added to a text to make it as long as others is masked.
PADDED: Mapping[str, Schema] = {
    **BATCHES,
    "padding": {"anyOf": [FLAG, {"type": "string", "enum": ["longest", "max_length", "do_not_pad"]}]},
}
# How long a file may be fetched is the operator's to say (hf_handler/media/fetching.py).
FETCHED: Mapping[str, Schema] = {
    **BATCHES,
    "timeout": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, NULL]},
}
# Google's vLLM images answer a text in which prompt and output have headings, or the output alone; here an
# answer is always a record, and `return_full_text` says what is in it.
FORMATTED: Mapping[str, Schema] = {"raw_response": FLAG}
