"""A request that doesn't fit the GPU's memory is run in halves and answered right, and the server goes on."""

from pathlib import Path

import torch

from benchmarks.client_load import least_cosine
from benchmarks.contenders import MINILM
from benchmarks.gpu_proof.finding import Finding, Rows, judged
from benchmarks.gpu_proof.scale import Scale
from benchmarks.gpu_proof.served import packaged, predictions, served
from benchmarks.model_alone import WORDS, Embedder

MIB = 1024 * 1024
# A pack of all the texts: 2,048 of 256 tokens, whose feed-forward layer alone has 1.5 GiB in 16 bits.
TEXTS, WORDS_A_TEXT = 2048, 250
PACK_TOKENS = 2**20
ROOM = 768 * MIB
LEAST_COSINE = 0.999
SAID = "out of memory with"


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Fill the GPU's memory beside a server that is ready, but for `ROOM`, and send it the request."""
    if not scale.on_gpu:
        return Finding("not measured", "a GPU's memory; a CPU's has no such end: the kernel ends the process")
    store = packaged(MINILM, scratch / "store", {"handler": {"max_batch_tokens": PACK_TOKENS}})
    texts = [
        " ".join(WORDS[(each + word) % len(WORDS)] for word in range(WORDS_A_TEXT)) for each in range(TEXTS)
    ]
    few = texts[: len(WORDS)]
    expected = Embedder("cpu").embed(few)
    with served(store, VTS_WORKERS="1") as (server, port):
        free, total = torch.cuda.mem_get_info(scale.device)
        filled = torch.empty(max(0, free - ROOM), dtype=torch.uint8, device=scale.device)
        answers = predictions(port, {"instances": texts})
        halved = server.log().count(SAID)
        del filled
        torch.cuda.empty_cache()
        again = predictions(port, {"instances": few})
        alive = server.is_ready()
    cosine = min(least_cosine(answers[: len(few)], expected), least_cosine(again, expected))
    problems = [
        *([] if halved else ["memory never ran out, so nothing was shown"]),
        *([] if len(answers) == TEXTS else [f"{len(answers)} answers to {TEXTS} texts"]),
        *([] if cosine >= LEAST_COSINE else [f"least cosine {cosine:.5f}, not {LEAST_COSINE}"]),
        *([] if alive else ["the server was not healthy afterwards"]),
    ]
    rows.append({
        "texts": TEXTS, "free of, MiB": f"{free // MIB} of {total // MIB}", "left free, MiB": ROOM // MIB,
        "times halved": halved, "least cosine": round(cosine, 5),
    })  # fmt: skip
    return judged(problems, "halved, answered right, and healthy afterwards", rows)
