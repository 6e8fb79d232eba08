"""Read the archive's own `model-config.yaml`, as far as TorchServe takes notice of it."""

from dataclasses import dataclass, field
from typing import Any

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.unpacking import ModelFolder


@dataclass(frozen=True)
class ModelConfig:
    """What the archive asks for; None for values that TorchServe 0.12 would ignore.

    Attributes:
        content: All of the file, as the handler finds it in `context.model_yaml_config`.
    """

    content: dict[str, Any] = field(default_factory=dict)

    @property
    def workers(self) -> int | None:
        """`minWorkers`, which counts only when `maxWorkers` is there and not less."""
        workers, most = self._positive("minWorkers"), self._positive("maxWorkers")
        return workers if workers and most and most >= workers else None

    @property
    def batch_size(self) -> int | None:
        """`batchSize`: the most requests of one batch."""
        return self._positive("batchSize")

    @property
    def max_batch_delay_ms(self) -> int | None:
        """`maxBatchDelay`: how long a batch is waited for, in milliseconds."""
        return self._positive("maxBatchDelay")

    def completed(self, decided: dict[str, int | bool]) -> dict[str, Any]:
        """The whole content, with our value for each key that it leaves out or that TorchServe would ignore.

        Args:
            decided: TorchServe's keys and our values.
        """
        used = {key for key, value in decided.items() if self._is_used(key, value)}
        if self.workers is None:
            used -= {"minWorkers", "maxWorkers"}
        return {**self.content, **{key: value for key, value in decided.items() if key not in used}}

    def _is_used(self, key: str, decided: int | bool) -> bool:
        """Whether TorchServe uses the archive's value, by its type (`ModelConfig.java`)."""
        if isinstance(decided, bool):
            return isinstance(self.content.get(key), bool)
        return self._positive(key) is not None

    def _positive(self, key: str) -> int | None:
        value = self.content.get(key)
        return value if type(value) is int and value > 0 else None


def read_model_config(model: ModelFolder) -> ModelConfig:
    """What an unpacked archive asks for; one without a `model-config.yaml` asks for nothing.

    Raises:
        InputError: When the file can't be used.
    """
    name = model.manifest.config_file
    if name is None:
        return ModelConfig()
    return parse_model_config((model.path / name).read_bytes(), f"{model.origin}: {name}")


def parse_model_config(text: bytes, origin: str) -> ModelConfig:
    """Read the text of a `model-config.yaml`.

    Args:
        text: The file's content.
        origin: Where it lies, for messages.

    Raises:
        InputError: When it is empty or has names that are no text, both of which end TorchServe, or is no
            YAML mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(_refused(origin, f"is not YAML: {error}")) from error
    if content is None:
        raise InputError(_refused(origin, "is empty"))
    if not isinstance(content, dict):
        raise InputError(_refused(origin, f"holds {content!r}"))
    numbers = [key for key in content if not isinstance(key, str)]
    if numbers:
        raise InputError(_refused(origin, f"holds names that are no text: {numbers!r}"))
    return ModelConfig(content)


def _refused(origin: str, what: str) -> Problem:
    return Problem(
        f"{origin} {what}; a mapping of names to values such as `minWorkers: 1` is accepted",
        "correct the file and package the model again, or leave it out",
    )
