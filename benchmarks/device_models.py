"""The models that handler_on_device.py runs: the reference handler, and what transformers does, with each."""

import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.client_load import LEAST_COSINE, least_cosine
from benchmarks.contenders import MINILM, package
from benchmarks.model_alone import Embedder
from vertex_torchserve.packaged_files import packaged_file

SEED = 4
MOST_SCORE_DIFFERENCE = 1e-4
NEW_TOKENS = 32
# Greedy, and no early end: every run writes the same number of tokens.
GENERATE = {"do_sample": False, "max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS}
Predict = Callable[[Sequence[str]], list[Any]]


def make_handlers_importable() -> None:
    """Let `hf_handler` be imported from where this project keeps it, which lasts as long as this process.

    Python imports a package once, so one that came from the folder of a first archive would lack its later
    modules once that folder is gone.
    """
    handlers = str(packaged_file("handlers/huggingface_handler.py").parent)
    if handlers not in sys.path:
        sys.path.insert(0, handlers)


class Handler:
    """The reference handler, loaded from an archive as a TorchServe worker loads it.

    Args:
        folder: The model's.
        device: Where it runs.
        dtype: Of the weights, as `handler.dtype` names it.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: str = "auto") -> None:
        from ts.context import RequestProcessor
        from ts.model_loader import TsModelLoader

        self._folder = tempfile.TemporaryDirectory(prefix="handler-")
        here = Path(self._folder.name)
        (here / "model-config.yaml").write_text(f"handler: {{dtype: {dtype}}}\n")
        package(folder, here, "--config-file", str(here / "model-config.yaml"))
        with zipfile.ZipFile(here / "model.mar") as archive:
            archive.extractall(here / "model")
        make_handlers_importable()
        self._service = TsModelLoader().load(
            "model", str(here / "model"), "huggingface_handler.py", gpu_id=device.index, batch_size=1
        )
        self._service.context.request_processor = [
            RequestProcessor({"body": {"content-type": "application/json"}})
        ]
        task = self._service.context.huggingface.task
        self.dtype: torch.dtype = task.model.dtype
        self.pack_tokens: int = task.packs.budget  # measured when it was loaded

    def predict(self, texts: Sequence[str], parameters: Mapping[str, object]) -> list[Any]:
        """One request with an instance a text; its predictions.

        Raises:
            SystemExit: When the request failed.
        """
        body = {"instances": list(texts), "parameters": dict(parameters)}
        (answer,) = self._service._entry_point([{"body": body}], self._service.context)
        if "predictions" not in answer:
            raise SystemExit(f"the handler answered {answer}")
        predictions: list[Any] = answer["predictions"]
        return predictions


@dataclass(frozen=True)
class Task:
    """One comparison.

    Attributes:
        name: The handler's task.
        about: What is compared, for readers.
        save: Writes the model folder.
        reference_name: The other way.
        reference: Loads it, for a folder, a device and a dtype.
        difference: What is wrong with the handler's predictions, beside the reference's; empty when nothing.
        parameters: Of a call of the handler.
    """

    name: str
    about: str
    save: Callable[[Path], None]
    reference_name: str
    reference: Callable[[Path, torch.device, torch.dtype], Predict]
    difference: Callable[[list[Any], list[Any]], str]
    parameters: Mapping[str, object] = field(default_factory=dict)


# ---- Sentence embeddings ----------------------------------------------------------------------------


def _link_minilm(folder: Path) -> None:
    folder.symlink_to(MINILM)


def _forward_pass(folder: Path, device: torch.device, dtype: torch.dtype) -> Predict:  # noqa: ARG001
    return Embedder(str(device), str(dtype).removeprefix("torch.")).embed


def _vectors_differ(ours: list[Any], theirs: list[Any]) -> str:
    least = least_cosine(ours, theirs) if len(ours) == len(theirs) else 0.0
    return "" if least >= LEAST_COSINE else f"least cosine {least:.6f}, not {LEAST_COSINE}"


# ---- Text classification ----------------------------------------------------------------------------


def _save_classifier(folder: Path) -> None:
    import transformers

    torch.manual_seed(SEED)
    encoder = transformers.AutoModel.from_pretrained(MINILM)
    config = transformers.AutoConfig.from_pretrained(MINILM, num_labels=3)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    model.base_model.load_state_dict(encoder.state_dict())
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(MINILM).save_pretrained(folder)


def _pipeline(folder: Path, device: torch.device, dtype: torch.dtype) -> Predict:
    import transformers

    pipeline = transformers.pipeline("text-classification", model=str(folder), device=device, dtype=dtype)
    return lambda texts: pipeline(list(texts), batch_size=len(texts), truncation=True)


def _labels_differ(ours: list[Any], theirs: list[Any]) -> str:
    for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        apart = abs(one["score"] - other["score"])
        if one["label"] != other["label"] or apart > MOST_SCORE_DIFFERENCE:
            return f"text {index}: {one}, and the pipeline {other}"
    return ""


# ---- Text generation ----------------------------------------------------------------------------------


def _save_writer(folder: Path) -> None:
    import tokenizers
    import transformers

    words = tokenizers.Tokenizer.from_file(str(MINILM / "tokenizer.json"))
    words.no_padding()
    words.no_truncation()
    words.post_processor = tokenizers.processors.TemplateProcessing(single="$A", pair="$A $B")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="[PAD]", eos_token="[SEP]", unk_token="[UNK]",  # noqa: S106
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip
    end = tokenizer.eos_token_id
    torch.manual_seed(SEED)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=512, intermediate_size=1408, num_hidden_layers=6,
        num_attention_heads=8, bos_token_id=end, eos_token_id=end, tie_word_embeddings=True,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _generate_in_a_loop(folder: Path, device: torch.device, dtype: torch.dtype) -> Predict:
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(device).eval()

    def write(text: str) -> str:
        prompt = tokenizer(text, return_tensors="pt").to(device)
        tokens = model.generate(**prompt, **GENERATE, pad_token_id=tokenizer.pad_token_id)
        new = tokens[0, prompt["input_ids"].shape[1] :]
        return tokenizer.decode(new, skip_special_tokens=True)  # type: ignore[no-any-return]

    return lambda texts: [write(text) for text in texts]


def _texts_differ(ours: list[Any], theirs: list[Any]) -> str:
    for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        if one[0]["generated_text"] != other:
            return f"text {index}: {one[0]['generated_text']!r}, and generate {other!r}"
    return ""


TASKS = (
    Task(
        "sentence-embeddings",
        "all-MiniLM-L6-v2; the other is its forward pass on all texts as one padded batch.",
        _link_minilm, "forward pass", _forward_pass, _vectors_differ,
    ),
    Task(
        "text-classification",
        "The same encoder with a seeded head of three labels; the other is transformers' pipeline, all texts "
        "as one batch.",
        _save_classifier, "pipeline", _pipeline, _labels_differ,
    ),
    Task(
        "text-generation",
        f"A seeded Llama of 6 layers of 512, greedy, {NEW_TOKENS} new tokens a text; the other is "
        "`generate`, one text after the other.",
        _save_writer, "generate in a loop", _generate_in_a_loop, _texts_differ,
        {**GENERATE, "return_full_text": False},
    ),
)  # fmt: skip
