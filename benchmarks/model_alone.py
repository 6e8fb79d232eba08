"""all-MiniLM-L6-v2 in a process of its own, without any server: the limit of what this machine can do."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.contenders import MINILM, ROOT

# Distinct for each number, about a dozen tokens each; texts.lua writes the same.
TEXT = "Order {number} of city {city} arrived late and the customer asked for help."
# Words of one token each: 200 of them are fewer tokens than the model takes.
WORDS = (
    "order", "city", "late", "customer", "help", "price", "return", "address", "phone", "letter", "train",
    "paper", "window", "summer", "music", "river", "garden", "market", "doctor", "bridge",
)  # fmt: skip
MAX_TOKENS = 256  # max_seq_length of its sentence_bert_config.json
MIXED_TEXTS, LEAST_WORDS, MOST_WORDS = 64, 6, 200
MIXED_REQUESTS, SEED = 16, 4


def text(number: int) -> str:
    """The text of a request."""
    return TEXT.format(number=number, city=number % 97)


def mixed_requests(texts: int = MIXED_TEXTS) -> list[list[str]]:
    """Sixteen lists of texts of 6 to 200 words, every length as likely; the same every time."""
    generator = random.Random(SEED)  # noqa: S311 (no secret)
    return [
        [
            " ".join(generator.choices(WORDS, k=generator.randint(LEAST_WORDS, MOST_WORDS)))
            for _ in range(texts)
        ]
        for _ in range(MIXED_REQUESTS)
    ]


class ModelAlone:
    """The process: vectors of texts, or how many texts a second in batches.

    Args:
        threads: Of its torch, or of onnxruntime.
        onnx: The ONNX file that onnxruntime runs; without one torch runs the model.
    """

    def __init__(self, threads: int, onnx: Path | None = None) -> None:
        self._ours, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.model_alone", str(threads), str(onnx or "")],
                cwd=ROOT,
                stdin=its.fileno(),
                stdout=its.fileno(),
                env={**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"},
            )
        self._lines = self._ours.makefile("rw")

    def ask(self, **question: object) -> None:
        """Send `texts` to be embedded; or `seconds` to be measured, with `batch`, or `mixed` and `budget`."""
        self._lines.write(json.dumps(question) + "\n")
        self._lines.flush()

    def answer(self) -> dict[str, Any]:
        """What came of the oldest question without an answer."""
        line = self._lines.readline()
        if not line:
            raise SystemExit(f"the model alone ended with code {self._process.wait(10)}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def vectors(self, texts: list[str]) -> list[list[float]]:
        """Embed texts: as many vectors of 384 values and length 1."""
        self.ask(texts=texts)
        vectors: list[list[float]] = self.answer()["vectors"]
        return vectors

    def __enter__(self) -> "ModelAlone":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._lines.close()
        self._ours.close()


def texts_per_second(processes: list[ModelAlone], batch: int, seconds: float) -> float:
    """Of all the processes together, at the same time."""
    for process in processes:
        process.ask(batch=batch, seconds=seconds)
    return sum(float(process.answer()["texts_per_second"]) for process in processes)


def mixed_texts_per_second(process: ModelAlone, budget: int | None, seconds: float) -> float:
    """Of one process, for requests of mixed lengths.

    Args:
        process: To be measured.
        budget: Padded tokens of a batch, the texts sorted by length; None: each request is one padded batch.
        seconds: How long.
    """
    process.ask(mixed=True, budget=budget, seconds=seconds)
    return float(process.answer()["texts_per_second"])


def hidden_states(onnx: Path, threads: int) -> Callable[[Any], Any]:
    """What gives the last hidden states of a batch of tokens, by onnxruntime.

    Args:
        onnx: The file.
        threads: That it uses.
    """
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    names = {each.name for each in session.get_inputs()}

    def hidden(batch: Any) -> Any:
        rows = {name: values.numpy() for name, values in batch.items() if name in names}
        return torch.from_numpy(session.run(None, rows)[0])

    return hidden


class Embedder:
    """The model and its tokenizer.

    Args:
        device: Where it runs.
        dtype: Of its weights, a name of torch's.
        hidden: Gives the last hidden states of a batch of tokens, in the model's place.
    """

    def __init__(
        self, device: str = "cpu", dtype: str = "float32", hidden: Callable[[Any], Any] | None = None
    ) -> None:
        import torch
        import transformers

        from vertex_torchserve.demo.mean_pooling import unit_means

        transformers.logging.disable_progress_bar()
        self._torch, self._pooled, self._device = torch, unit_means, device
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(MINILM)
        if hidden is None:
            model = transformers.AutoModel.from_pretrained(MINILM, dtype=getattr(torch, dtype))
            model = model.to(device).eval()
            hidden = lambda batch: model(**batch).last_hidden_state  # noqa: E731
        self._hidden: Callable[[Any], Any] = hidden

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One padded batch: as many vectors of 384 values and length 1."""
        options = {"padding": True, "truncation": True, "max_length": MAX_TOKENS, "return_tensors": "pt"}
        return self._forward(self._tokenizer(list(texts), **options))

    def embed_sorted(self, texts: Sequence[str], budget: int) -> list[list[float]]:
        """Sorted by length, in batches of at most so many padded tokens; the vectors in the texts' order."""
        encoded = self._tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)
        lengths = [len(ids) for ids in encoded["input_ids"]]
        vectors: list[list[float]] = [[]] * len(texts)
        for pack in _packs(lengths, budget):
            rows = {name: [values[index] for index in pack] for name, values in encoded.items()}
            batch = self._tokenizer.pad(rows, return_tensors="pt")
            for index, vector in zip(pack, self._forward(batch), strict=True):
                vectors[index] = vector
        return vectors

    def _forward(self, batch: Any) -> list[list[float]]:
        batch = batch.to(self._device)
        with self._torch.inference_mode():
            vectors: list[list[float]] = self._pooled(self._hidden(batch), batch["attention_mask"]).tolist()
        return vectors


def _packs(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    pack: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if pack and lengths[index] * (len(pack) + 1) > budget:
            yield pack
            pack = []
        pack.append(index)
    yield pack


def _measured(embedder: Embedder, question: dict[str, Any]) -> float:
    """Texts a second, as a question asks for."""
    requests = mixed_requests()
    done, started = 0, time.perf_counter()
    while time.perf_counter() < started + question["seconds"]:
        if "batch" in question:
            embedder.embed([text(number) for number in range(done, done + question["batch"])])
            done += question["batch"]
            continue
        texts = requests[done // MIXED_TEXTS % len(requests)]
        if question["budget"] is None:
            embedder.embed(texts)
        else:
            embedder.embed_sorted(texts, question["budget"])
        done += len(texts)
    return done / (time.perf_counter() - started)


def main() -> None:
    """Answer the lines of standard input."""
    import torch

    threads, onnx = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(threads)
    embedder = Embedder(hidden=hidden_states(Path(onnx), threads) if onnx else None)
    for line in sys.stdin:
        question = json.loads(line)
        if "texts" in question:
            answer: dict[str, object] = {"vectors": embedder.embed(question["texts"])}
        else:
            answer = {"texts_per_second": _measured(embedder, question)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
