"""The mapping `handler` in model-config.yaml: what an operator can set, and its defaults."""

from hf_handler.schema import COUNT, TEXT, Parameters, Refused, Schema, check, list_of

SETTINGS: dict[str, Schema] = {
    "task": {"type": "string", "description": "one of the tasks", "default": "what the model's files tell"},
    "dtype": {
        "enum": ["auto", "float32", "bfloat16", "float16"], "type": "string", "default": "auto",
        "description": "of the weights; auto: bfloat16 or float16 on a GPU, float32 on the CPU",
    },
    "attn_implementation": {
        "type": "string", "default": "sdpa",
        "description": "of transformers; a model that has no sdpa gets eager",
    },
    "torch_compile": {
        "type": "boolean", "default": False,
        "description": "compile the model; takes a compiler and a minute at load",
    },
    "quantize": {
        "enum": ["none", "int8"], "type": "string", "default": "none",
        "description": "int8: dynamic quantization of the linear layers, on the CPU only",
    },
    "linear_layers": {
        "enum": ["auto", "torch"], "type": "string", "default": "auto",
        "description": "auto: by oneDNN where that is measured to be faster (float32 on the CPU)",
    },
    "device_map": {
        "anyOf": [TEXT, {"type": "object"}], "default": None,
        "description": "spread a model over GPUs as transformers' device_map; takes accelerate",
    },
    "max_batch_tokens": {
        **COUNT, "default": "measured at load",
        "description": "padded tokens that run as one batch",
    },
    "max_length": {**COUNT, "default": "what the model takes", "description": "tokens of one text"},
    "truncation": {
        "enum": ["truncate", "error"], "type": "string", "default": "truncate",
        "description": "a text that is too long: cut it and say so in `x-truncated`, or answer 422",
    },
    "parameters": {
        "type": "object", "default": {},
        "description": "defaults for the task's parameters; those of a call, then of an instance, win",
    },
    "trust_remote_code": {
        "type": "boolean", "default": False,
        "description": "run Python code that the archive brings with the model",
    },
    "allowed_media_hosts": {
        **list_of(TEXT), "default": [],
        "description": "hosts from which images and sounds may be fetched by https URL",
    },
    "max_image_pixels": {
        **COUNT, "default": 50_000_000,
        "description": "an image with more is refused",
    },
    "max_audio_seconds": {
        **COUNT, "default": 3600,
        "description": "a sound that is longer is refused",
    },
}  # fmt: skip


def read_settings(config: object) -> Parameters:
    """Return the settings with the defaults of those that aren't set; "measured" ones are None.

    Raises:
        ValueError: A key or a value is unknown.
    """
    settings = {} if config is None else config
    if not isinstance(settings, dict):
        raise ValueError(
            f"handler must be a mapping in model-config.yaml, got {type(settings).__name__}; "
            "fix: write it as `handler: {task: ...}`"
        )
    unknown = sorted(map(str, set(settings) - set(SETTINGS)))
    if unknown:
        raise ValueError(
            f"unknown keys under handler: {', '.join(unknown)}; accepted: {', '.join(SETTINGS)}; "
            "fix: correct or remove them in model-config.yaml"
        )
    measured = dict.fromkeys(("task", "max_batch_tokens", "max_length"))
    values = {name: schema["default"] for name, schema in SETTINGS.items()} | measured
    for name, value in settings.items():
        if value is not None:
            try:
                values[name] = check(value, SETTINGS[name], f"handler.{name}")
            except Refused as error:
                raise ValueError(f"{error}; fix: correct it in model-config.yaml") from None
    return values
