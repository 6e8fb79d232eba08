"""The mapping `handler` in model-config.yaml: what an operator can set, and its defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hf_handler import bounds
from hf_handler.schema import COUNT, FLAG, TEXT, Parameters, Refused, Schema, check, list_of


def _about(schema: Schema, description: str, default: str | None = None) -> Mapping[str, Any]:
    """Describe a field of `Settings`.

    Args:
        schema: What a value must be.
        description: For the README's table.
        default: What happens where None, the field's default, stands for something worked out at load.
    """
    return {"schema": schema, "description": description, "default": default}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator has set, and defaults for the rest. Each field's metadata describes it."""

    # fmt: off
    task: str | None = field(default=None, metadata=_about(
        TEXT, "one of the tasks", default="what the model's files tell",
    ))
    dtype: str = field(default="auto", metadata=_about(
        _one_of("auto", "float32", "bfloat16", "float16"),
        "of the weights; auto: bfloat16 or float16 on a GPU, float32 on the CPU",
    ))
    attn_implementation: str = field(default="sdpa", metadata=_about(
        TEXT, "of transformers; a model that has no sdpa gets eager",
    ))
    torch_compile: bool = field(default=False, metadata=_about(
        FLAG, "compile the model; takes a compiler and a minute at load",
    ))
    engine: str = field(default="auto", metadata=_about(
        _one_of("auto", "torch", "onnxruntime"),
        "what runs an encoder; auto: the faster one, measured at load, where the archive has an ONNX file",
    ))
    onnx_file: str | None = field(default=None, metadata=_about(
        TEXT, "the ONNX file, as it lies in the archive", default="`model.onnx`, else `onnx/model.onnx`",
    ))
    linear_layers: str = field(default="auto", metadata=_about(
        _one_of("auto", "torch"),
        "auto: by oneDNN where that is measured to be faster (float32 on the CPU); torch: as torch does it",
    ))
    cuda_graphs: str = field(default="auto", metadata=_about(
        _one_of("auto", "never"),
        "auto: an encoder's small packs are replayed on a GPU where that is measured to be faster",
    ))
    device_map: str | dict[str, Any] | None = field(default=None, metadata=_about(
        {"anyOf": [TEXT, {"type": "object"}]},
        "spread a model over GPUs as transformers' device_map; takes accelerate",
    ))
    max_batch_tokens: int | None = field(default=None, metadata=_about(
        COUNT, "padded tokens that run as one batch", default="measured at load",
    ))
    max_length: int | None = field(default=None, metadata=_about(
        COUNT, "tokens of one text", default="what the model takes",
    ))
    truncation: str = field(default="truncate", metadata=_about(
        _one_of("truncate", "error"),
        "a text that is too long: cut it and say so in `x-truncated`, or answer 422",
    ))
    response: str = field(default="own", metadata=_about(
        _one_of("own", "huggingface"),
        "huggingface: answers have huggingface-inference-toolkit's form where it is another",
    ))
    parameters: Parameters = field(default_factory=dict, metadata=_about(
        {"type": "object"}, "defaults for the task's parameters; those of a call, then of an instance, win",
    ))
    trust_remote_code: bool = field(default=False, metadata=_about(
        FLAG, "run Python code that the archive brings with the model",
    ))
    allowed_media_hosts: list[str] = field(default_factory=list, metadata=_about(
        list_of(TEXT), "hosts from which images and sounds may be fetched by https URL",
    ))
    max_image_pixels: int = field(default=50_000_000, metadata=_about(
        COUNT, "an image with more is refused",
    ))
    max_audio_seconds: int = field(default=3600, metadata=_about(
        COUNT, "a sound that is longer is refused",
    ))
    max_request_seconds: int = field(default=3600, metadata=_about(
        COUNT, "a request that has been worked on for longer is answered 504",
    ))
    max_request_rows: int = field(default=bounds.REQUEST_ROWS, metadata=_about(
        COUNT, "instances of a request, times their labels or texts; windows of long texts; answers in each",
    ))
    max_request_characters: int = field(default=bounds.REQUEST_CHARACTERS, metadata=_about(
        COUNT, "text of a request, as it is tokenized: once for each label",
    ))
    max_request_new_tokens: int = field(default=bounds.REQUEST_NEW_TOKENS, metadata=_about(
        COUNT, "`max_new_tokens` times beams or sequences, of all instances of a request",
    ))
    max_request_images: int = field(default=bounds.REQUEST_IMAGES, metadata=_about(
        COUNT, "images of a request",
    ))
    max_request_pixels: int = field(default=bounds.REQUEST_PIXELS, metadata=_about(
        COUNT, "pixels of a request's images together",
    ))
    max_audio_samples: int = field(default=bounds.AUDIO_SAMPLES, metadata=_about(
        COUNT, "samples of a request's sounds together, in all channels, and as the model reads them",
    ))
    max_text_characters: int = field(default=bounds.TEXT_CHARACTERS, metadata=_about(
        COUNT, "characters of one text",
    ))
    max_labels: int = field(default=bounds.LABELS, metadata=_about(
        COUNT, "entries of `candidate_labels`, as a list or a text, `targets`, `ignore_labels`",
    ))
    max_label_characters: int = field(default=bounds.LABEL_CHARACTERS, metadata=_about(
        COUNT, "characters of each of them, of `hypothesis_template`, and of a language's or a prompt's name",
    ))
    max_stop_strings: int = field(default=bounds.STOP_STRINGS, metadata=_about(
        COUNT, "entries of `stop`",
    ))
    max_stop_characters: int = field(default=bounds.STOP_CHARACTERS, metadata=_about(
        COUNT, "characters of each of them",
    ))
    max_messages: int = field(default=bounds.MESSAGES, metadata=_about(
        COUNT, "messages of a conversation",
    ))
    max_table_rows: int = field(default=bounds.TABLE_ROWS, metadata=_about(
        COUNT, "rows of a table",
    ))
    max_table_columns: int = field(default=bounds.TABLE_COLUMNS, metadata=_about(
        COUNT, "columns of a table",
    ))
    # fmt: on


def read_settings(config: object) -> Settings:
    """Check the mapping `handler` of a model's config.

    Args:
        config: As read from YAML; None where there is no such mapping. A key whose value is null is left out.

    Raises:
        ValueError: It is no mapping, or a key or a value in it is unknown.
    """
    given = {} if config is None else config
    if not isinstance(given, dict):
        raise ValueError(
            f"handler must be a mapping in model-config.yaml, got {type(given).__name__}; "
            "fix: write it as `handler: {task: ...}`"
        )
    known: dict[str, Schema] = {one.name: one.metadata["schema"] for one in fields(Settings)}
    if "quantize" in given:
        raise ValueError(
            "handler.quantize is no setting any more: int8 is made when a model is packaged, its accuracy "
            "told; fix: remove it from model-config.yaml, and package with --engine onnxruntime "
            "--quantize int8"
        )
    unknown = sorted(map(str, set(given) - set(known)))
    if unknown:
        raise ValueError(
            f"unknown keys under handler: {', '.join(unknown)}; accepted: {', '.join(known)}; "
            "fix: correct or remove them in model-config.yaml"
        )
    values: dict[str, Any] = {}
    for name, value in given.items():
        if value is not None:
            try:
                values[name] = check(value, known[name], f"handler.{name}")
            except Refused as error:
                raise ValueError(f"{error}; fix: correct it in model-config.yaml") from None
    return Settings(**values)
