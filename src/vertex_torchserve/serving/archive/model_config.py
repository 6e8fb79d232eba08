"""Read the archive's own `model-config.yaml`, as far as TorchServe takes notice of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.serving.archive.bounded_text import UnreadableError, read_start, shortened
from vertex_torchserve.serving.archive.member_names import MODEL_CONFIG_NAME
from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.settings import ENVELOPES

MOST_CONFIG_BYTES = 1 << 20
# What TorchServe reads as a whole number, and takes notice of: an Integer (`ModelConfig.java`).
_COUNTS = (
    "minWorkers", "maxWorkers", "batchSize", "maxBatchDelay", "responseTimeout", "startupTimeout",
    "parallelLevel", "maxRetryTimeoutInSec", "clientTimeoutInMills", "jobQueueSize", "sequenceMaxIdleMSec",
    "sequenceTimeoutMSec", "maxSequenceJobQueueSize", "maxNumSequence",
)  # fmt: skip
_GREATEST_COUNT = (1 << 31) - 1
# Each is a process that holds the model; no machine holds so many.
_MOST = {"minWorkers": 1024, "maxWorkers": 1024}
_FIX = "correct the file and package the model again, or leave it out"


@dataclass(frozen=True)
class ModelConfig:
    """What the archive asks for; None for values that TorchServe 0.12 would ignore.

    Attributes:
        content: All of the file, as the handler finds it in `context.model_yaml_config`.
        origin: Where the file lies, for messages.
    """

    content: dict[str, Any] = field(default_factory=dict)
    origin: str = MODEL_CONFIG_NAME

    @property
    def workers(self) -> int | None:
        """`minWorkers`, which counts only when `maxWorkers` is there and not less."""
        workers, most = self._positive("minWorkers"), self._positive("maxWorkers")
        return workers if workers and most and most >= workers else None

    @property
    def batch_size(self) -> int | None:
        """`batchSize`: the most requests of one batch; 1 with `asyncCommunication: true`.

        A second request of a batch ends TorchServe's thread for an asynchronous worker, which changes the
        list of requests that it goes through (`AsyncBatchAggregator.getRequest` of 0.12). Such a worker has
        as many batches at a time as there are.
        """
        return 1 if self._is_asynchronous else self._positive("batchSize")

    @property
    def max_batch_delay_ms(self) -> int | None:
        """`maxBatchDelay`: how long a batch is waited for, in milliseconds."""
        return self._positive("maxBatchDelay")

    @property
    def envelope(self) -> str | None:
        """`envelope`, a key of ours: `instances` or `none`; None when the archive leaves it to the server."""
        value: str | None = self.content.get("envelope")
        return value

    def written(self, decided: dict[str, int | bool]) -> str:
        """The YAML text of `completed(decided)`, as TorchServe can read it.

        Raises:
            InputError: It would be longer than TorchServe reads.
        """
        from vertex_torchserve.serving.archive.bounded_yaml import write_yaml

        try:
            return write_yaml(self.completed(decided))
        except UnreadableError as error:
            raise InputError(_refused(self.origin, str(error))) from error

    def completed(self, decided: dict[str, int | bool]) -> dict[str, Any]:
        """The whole content, with our value for each key that it leaves out or that TorchServe would ignore.

        Args:
            decided: TorchServe's keys and our values.
        """
        used = {key for key, value in decided.items() if self._is_used(key, value)}
        if self.workers is None:
            used -= {"minWorkers", "maxWorkers"}
        if self._is_asynchronous:
            used -= {"batchSize"}
        return {**self.content, **{key: value for key, value in decided.items() if key not in used}}

    def _is_used(self, key: str, decided: int | bool) -> bool:
        """Whether TorchServe uses the archive's value, by its type (`ModelConfig.java`)."""
        if isinstance(decided, bool):
            return isinstance(self.content.get(key), bool)
        return self._positive(key) is not None

    @property
    def _is_asynchronous(self) -> bool:
        return self.content.get("asyncCommunication") is True

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
    return load_model_config(model.path / name, f"{model.origin}: {name}")


def load_model_config(file: Path, origin: str) -> ModelConfig:
    """Read a `model-config.yaml`, as `parse_model_config` does; one that is too long is not read whole.

    Raises:
        InputError: When the file can't be used.
    """
    return parse_model_config(read_start(file, MOST_CONFIG_BYTES), origin)


def parse_model_config(text: bytes, origin: str) -> ModelConfig:
    """Read the text of a `model-config.yaml`.

    Args:
        text: The file's content, or a little more of it than `MOST_CONFIG_BYTES`.
        origin: Where it lies, for messages.

    Raises:
        InputError: When it is empty or has names that are no text, both of which end TorchServe, is no YAML
            mapping, is beyond a limit (`bounded_yaml`), or has a count that TorchServe can't hold.
    """
    from vertex_torchserve.serving.archive.bounded_yaml import read_yaml

    try:
        content = read_yaml(text, MOST_CONFIG_BYTES)
    except UnreadableError as error:
        raise InputError(_refused(origin, str(error))) from error
    if content is None:
        raise InputError(_refused(origin, "is empty"))
    if not isinstance(content, dict):
        raise InputError(_refused(origin, f"holds {shortened(repr(content))}"))
    numbers = [key for key in content if not isinstance(key, str)]
    if numbers:
        raise InputError(_refused(origin, f"holds names that are no text: {shortened(repr(numbers))}"))
    faults = [*_count_faults(content), *_envelope_faults(content)]
    raise_problems([Problem(f"{origin}: {fault}", _FIX) for fault in faults])
    return ModelConfig(content, origin)


def _count_faults(content: dict[str, Any]) -> Iterator[str]:
    for key in _COUNTS:
        value, most = content.get(key), _MOST.get(key, _GREATEST_COUNT)
        if type(value) is int and abs(value) > most:
            yield f"{key} is {shortened(str(value))}; 1 to {most} is accepted"


def _envelope_faults(content: dict[str, Any]) -> Iterator[str]:
    value = content.get("envelope")
    if value is not None and value not in ENVELOPES:
        yield f"envelope is {shortened(repr(value))}; {' and '.join(ENVELOPES)} are accepted"


def _refused(origin: str, what: str) -> Problem:
    return Problem(
        f"{origin} {what}; a mapping of names to values such as `minWorkers: 1` is accepted",
        _FIX,
    )
