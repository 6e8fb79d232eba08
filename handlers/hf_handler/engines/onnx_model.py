"""An encoder that onnxruntime runs, called as transformers' models are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch
import transformers
from transformers.utils import ModelOutput

from hf_handler.optional import need

# By the `AutoModel*` class that torch would load: the outputs, with the names that exporters give them,
# transformers' own first, and the shape for `rows x tokens`.
Shape = Callable[[Any, int, int], tuple[int, ...]]
OUTPUTS: dict[str, dict[tuple[str, ...], Shape]] = {
    "AutoModel": {
        ("last_hidden_state", "token_embeddings"): lambda config, rows, tokens: (
            rows, tokens, config.get_text_config().hidden_size
        ),
    },
    "AutoModelForSequenceClassification": {
        ("logits",): lambda config, rows, _: (rows, config.num_labels),
    },
    "AutoModelForTokenClassification": {
        ("logits",): lambda config, rows, tokens: (rows, tokens, config.num_labels),
    },
    "AutoModelForMaskedLM": {
        ("logits",): lambda config, rows, tokens: (rows, tokens, config.vocab_size),
    },
    "AutoModelForQuestionAnswering": {
        ("start_logits",): lambda _, rows, tokens: (rows, tokens),
        ("end_logits",): lambda _, rows, tokens: (rows, tokens),
    },
}  # fmt: skip
INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
INTEGERS = {"tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32}

# Encoders that have as many positions as their config says: no layer need be looked at, and transformers'
# class of the model, whose imports take half of the time until an ONNX file answers, isn't needed.
POSITIONS_BY_CONFIG = {"albert", "bert", "distilbert", "electra", "modernbert"}

# onnxruntime lays the weights out for itself, once for each count of threads. Larger files are loaded once.
MOST_BYTES_TWICE = 2**30


class OnnxModel:
    """An encoder in an ONNX file, on the CPU.

    A session of onnxruntime has a fixed count of threads, so there may be two: one with the threads that
    torch has at load, one with those of all workers. Each call takes the one that fits torch's threads then.
    The second is used while the other workers are idle, so its threads spin while they wait for each other
    within a call (MiniLM takes 3.2 ms for a short text, 4.2 where they sleep, 5.8 with one thread; AVX-512).

    Args:
        file: The ONNX file.
        auto_class: Name of the `AutoModel*` class that says which outputs are needed.
        skeleton: The same model, as `skeleton_of` returns it.
        most_threads: The most that a call may use.

    Attributes:
        config: The model's.
        device: The CPU.

    Raises:
        ValueError: The file can't be loaded, or isn't of the model that the config describes.
    """

    device = torch.device("cpu")

    def __init__(self, file: Path, auto_class: str, skeleton: Any, most_threads: int) -> None:
        self.config = skeleton.config
        self._skeleton = skeleton
        self._file = file
        own = torch.get_num_threads()
        self._sessions = {own: self._session(own, spins=False)}
        self._inputs = self._checked_inputs()
        self._outputs = self._checked_outputs(OUTPUTS[auto_class])
        self._try(OUTPUTS[auto_class])
        if most_threads > own and bytes_of(file) <= MOST_BYTES_TWICE:
            self._sessions[most_threads] = self._session(most_threads, spins=True)

    def named_modules(self) -> Iterator[tuple[str, torch.nn.Module]]:
        """Return the modules of the model that torch would run; some tell how many positions there are."""
        return iter(self._skeleton.named_modules())

    def __call__(self, **batch: torch.Tensor) -> Any:
        """Run the model.

        Args:
            batch: Integers, `rows x tokens`; `input_ids` and `attention_mask`, and `token_type_ids` where the
                tokenizer gives them.

        Returns:
            What transformers' model returns: each output by its name there.
        """
        threads = torch.get_num_threads()
        session = self._sessions[
            max((n for n in self._sessions if n <= threads), default=min(self._sessions))
        ]
        values = session.run(list(self._outputs.values()), self._feeds(batch))
        return ModelOutput(**dict(zip(self._outputs, map(torch.from_numpy, values), strict=True)))

    def _feeds(self, batch: Mapping[str, torch.Tensor]) -> dict[str, numpy.ndarray]:
        """Return what the file takes; a tokenizer that gives no types means that all tokens are of type 0."""
        feeds = {}
        for name, dtype in self._inputs.items():
            given = batch.get(name)
            if given is None:
                given = torch.zeros_like(batch["input_ids"])
            feeds[name] = given.numpy().astype(dtype, copy=False)
        return feeds

    def _session(self, threads: int, *, spins: bool) -> Any:
        onnxruntime = need("onnxruntime", "an ONNX file in the archive")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_mem_pattern = False  # planned for one shape; packs have many
        # A thread that spins while it waits takes a core from another worker; after a call none does.
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spins else "0")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            return onnxruntime.InferenceSession(str(self._file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # of another class for each kind of fault; the message says which
            raise self._fault(
                f"can't be loaded by onnxruntime {onnxruntime.__version__}: {first_line(error)}"
            ) from error

    def _checked_inputs(self) -> dict[str, Any]:
        """Return the type of each input of the file."""
        found = {}
        for node in self._any_session.get_inputs():
            if node.name not in INPUTS:
                raise self._fault(f"takes an input {node.name!r}; accepted: {', '.join(sorted(INPUTS))}")
            if node.type not in INTEGERS:
                raise self._fault(f"takes {node.name} as {node.type}; accepted: {', '.join(INTEGERS)}")
            if len(node.shape) != 2 or any(isinstance(size, int) for size in node.shape):
                raise self._fault(
                    f"takes {node.name} of shape {node.shape}; accepted: any number of rows and tokens"
                )
            found[node.name] = INTEGERS[node.type]
        if "input_ids" not in found:
            raise self._fault(f"takes no input_ids, but {', '.join(found) or 'nothing'}")
        return found

    def _checked_outputs(self, wanted: Mapping[tuple[str, ...], Shape]) -> dict[str, str]:
        """Return the file's name of each output, by transformers'."""
        given = [node.name for node in self._any_session.get_outputs()]
        found = {}
        for names in wanted:
            name = next((name for name in names if name in given), None)
            if name is None:
                raise self._fault(f"gives no {' or '.join(names)}, but {', '.join(given)}")
            found[names[0]] = name
        return found

    def _try(self, wanted: Mapping[tuple[str, ...], Shape]) -> None:
        """Run two rows of three tokens, and hold what comes against the config."""
        ending = getattr(self.config, "eos_token_id", None)  # some models look for the end of each row
        token = ending if isinstance(ending, int) else 0
        ids = torch.full((2, 3), token)
        try:
            output = self(input_ids=ids, attention_mask=torch.ones_like(ids))
        except Exception as error:
            raise self._fault(f"doesn't run: {first_line(error)}") from error
        for names, shape in wanted.items():
            got, expected = tuple(output[names[0]].shape), shape(self.config, 2, 3)
            if got != expected:
                raise self._fault(
                    f"gives {names[0]} of shape {got} for 2 rows of 3 tokens; config.json says {expected}"
                )

    @property
    def _any_session(self) -> Any:
        return next(iter(self._sessions.values()))

    def _fault(self, what: str) -> ValueError:
        return ValueError(
            f"{self._file.name} {what}; fix: export it from this model, "
            "`vertex-torchserve package --engine onnxruntime` does, or set handler.engine to torch"
        )


class ConfigAlone:
    """A model whose config tells all that is asked of it.

    Args:
        config: Of transformers.
    """

    def __init__(self, config: Any) -> None:
        self.config = config

    def named_modules(self) -> Iterator[tuple[str, torch.nn.Module]]:
        """Return nothing: there are no layers."""
        return iter(())


def skeleton_of(archive: Any, auto_class: str, folder: Path) -> Any:
    """Return a model without weights, for what its config tells and, where that isn't enough, its layers.

    Args:
        archive: The model folder.
        auto_class: Name of the `AutoModel*` class.
        folder: Holds `config.json`.
    """
    config = archive.config(folder)
    if config.model_type in POSITIONS_BY_CONFIG and not hasattr(config, "auto_map"):
        return ConfigAlone(config)
    with torch.device("meta"):
        return (
            getattr(transformers, auto_class)
            .from_config(config, trust_remote_code=archive.settings.trust_remote_code)
            .eval()
        )


def bytes_of(file: Path) -> int:
    """Return the size of an ONNX file, with the weights that may lie beside it (`model.onnx_data`)."""
    return sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))


def first_line(error: Exception) -> str:
    """Return what onnxruntime says, without its lines about its own source."""
    lines: Sequence[str] = str(error).splitlines() or [type(error).__name__]
    return lines[0][:300]
