"""all-MiniLM-L6-v2 in a process of its own, without any server: the limit of what this machine can do."""

import json
import os
import socket
import subprocess
import sys
import time
from types import TracebackType

from contenders import MINILM

# Distinct for each number, about a dozen tokens each; texts.lua writes the same.
TEXT = "Order {number} of city {city} arrived late and the customer asked for help."


def text(number: int) -> str:
    """The text of a request."""
    return TEXT.format(number=number, city=number % 97)


class ModelAlone:
    """The process: vectors of texts, or how many texts a second in batches.

    Args:
        threads: Of its torch.
    """

    def __init__(self, threads: int) -> None:
        self._ours, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(threads)],
                stdin=its,
                stdout=its,
                env={**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"},
            )
        self._lines = self._ours.makefile("rw")

    def ask(self, **question: object) -> None:
        """Send `texts` to be embedded, or `batch` and `seconds` to be measured."""
        self._lines.write(json.dumps(question) + "\n")
        self._lines.flush()

    def answer(self) -> dict[str, object]:
        """What came of the oldest question without an answer."""
        line = self._lines.readline()
        if not line:
            raise SystemExit(f"the model alone ended with code {self._process.wait(10)}")
        answer: dict[str, object] = json.loads(line)
        return answer

    def vectors(self, texts: list[str]) -> list[list[float]]:
        """Embed texts: as many vectors of 384 values and length 1."""
        self.ask(texts=texts)
        vectors: list[list[float]] = self.answer()["vectors"]  # type: ignore[assignment]
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
    return sum(float(process.answer()["texts_per_second"]) for process in processes)  # type: ignore[arg-type]


def main() -> None:
    """Answer the lines of standard input."""
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    torch.set_num_threads(int(sys.argv[1]))
    tokenizer = transformers.AutoTokenizer.from_pretrained(MINILM)
    model = transformers.AutoModel.from_pretrained(MINILM, dtype=torch.float32).eval()

    def embed(texts: list[str]) -> torch.Tensor:
        batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            mean = (hidden * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(mean, dim=1)

    for line in sys.stdin:
        question = json.loads(line)
        if "texts" in question:
            answer: dict[str, object] = {"vectors": embed(question["texts"]).tolist()}
        else:
            done, started = 0, time.perf_counter()
            while time.perf_counter() < started + question["seconds"]:
                embed([text(number) for number in range(done, done + question["batch"])]).tolist()
                done += question["batch"]
            answer = {"texts_per_second": done / (time.perf_counter() - started)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
