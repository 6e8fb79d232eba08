"""An ONNX file held against torch: the same outputs at every length, and how near int8 comes on texts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
import torch

from hf_handler.engines.onnx_model import OUTPUTS, OnnxModel
from hf_handler.engines.trial import difference
from hf_handler.items import Item
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.tasks.sentence_embeddings import SentenceEmbeddings
from hf_handler.text.tokens import tokenize

COSINE, AGREEMENT = "cosine", "agreement"
EVERY_LENGTH_TO = 64
LONGEST = 2048
ROWS = 8
TEXTS = (
    "good movie",
    "The quick brown fox jumps over the lazy dog.",
    "Where is my order?",
    "I would like to return the shoes that I bought last week, because they are too small.",
    "The central bank raised its interest rate by a quarter of a point on Thursday.",
    "terrible service, never again",
    "How do I reset my password if I no longer have the phone?",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "Anna Keller works for a car maker in Berlin.",
    "Paris is the capital of France, and has a little more than two million inhabitants.",
    "An attacker could read memory past the end of the buffer.",
    "the food was great but the waiter was rude",
    "A recipe for bread: flour, water, salt, yeast; knead it, let it rise for two hours, and bake it.",
    "The defendant shall pay the costs of the proceedings.",
    "Patients with a fever above 39 degrees should see a doctor.",
    "What is the difference between a list and a tuple?",
    "She scored twice in the second half, and the home team won by three goals to two.",
    "Rain is expected in the north, with strong wind along the coast; it will be dry in the south.",
    "Der Zug nach Wien fährt um neun Uhr ab.",
    "Le chat dort sur le canapé pendant que la pluie tombe.",
    "numbers: 1 2 3 5 8 13 21 34 55 89",
    "The contract ends on 31 December unless one of the parties extends it in writing, in which case it goes "
    "on for another year under the same terms, with prices adjusted to inflation.",
    "Two men are playing chess in a park while a crowd watches them.",
    "SELECT name FROM customers WHERE city = 'Rome'",
)


def opened(task: EncoderTask, file: Path) -> OnnxModel:
    """Return the model of a task by onnxruntime, with torch's threads."""
    return OnnxModel(file, task.auto_class, task.model, torch.get_num_threads())


def row_of(task: EncoderTask, length: int) -> Item:
    """Return a row of tokens of the vocabulary, the first and the last as every text has them.

    Args:
        task: Whose tokenizer it is.
        length: Its tokens, at least as many as those two.
    """
    tokenizer = task.tokenizer
    special = set(tokenizer.all_special_ids)
    usual = [token for token in range(min(len(tokenizer), 5000)) if token not in special]
    (bare,) = tokenize(tokenizer, ["a"])
    first, last = bare["input_ids"][0], bare["input_ids"][-1]
    middle = [usual[(37 * n * n + 11 * n + length) % len(usual)] for n in range(length - 2)]
    inputs = {name: [0] * length for name in bare} | {"input_ids": [first, *middle, last]}
    if "token_type_ids" in inputs and getattr(task.model.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = [0] * (length - length // 3) + [1] * (length // 3)
    return Item(inputs, length)


def lengths_of(task: EncoderTask) -> list[int]:
    """Return the lengths to try: each of the short ones, then ever fewer up to the longest that is served."""
    longest = min(task.token_rows.limit, LONGEST)
    lengths = list(range(2, min(EVERY_LENGTH_TO, longest) + 1))
    while lengths[-1] < longest:
        lengths.append(min(longest, lengths[-1] * 9 // 8))
    return lengths


def difference_over_lengths(task: EncoderTask, model: OnnxModel) -> tuple[float, list[int]]:
    """Return how far the outputs of two engines are apart at most, and at which lengths that was looked at.

    Each length is in a padded batch of a few like it; the shortest and the longest are also alone.

    Args:
        task: With the model by torch.
        model: By onnxruntime.
    """
    lengths = lengths_of(task)
    packs = [lengths[begin : begin + ROWS] for begin in range(0, len(lengths), ROWS)]
    packs += [[lengths[0]], [lengths[-1]]]
    cpu = torch.device("cpu")
    batches = [task.token_rows.batch([row_of(task, length) for length in pack], cpu) for pack in packs]
    return difference(task.model, model, batches), lengths


def accuracy(task: EncoderTask, model: OnnxModel) -> tuple[str, float, float]:
    """Hold a model in int8 against torch on texts.

    Args:
        task: With the model by torch.
        model: In int8, by onnxruntime.

    Returns:
        What is measured, its least and its mean: `cosine` of the vectors, or `agreement`, the share of texts
        (or tokens) whose best label is the same, which is least and mean in one.
    """
    rows = tokenize(task.tokenizer, TEXTS, max_length=task.token_rows.limit)
    items = [Item(row, len(row["input_ids"])) for row in rows]
    pairs = list(zip(_results(task, task.model, items), _results(task, model, items), strict=True))
    if task.auto_class == "AutoModel":
        cosines = [
            float(numpy.dot(one, two) / (numpy.linalg.norm(one) * numpy.linalg.norm(two)))
            for right, other in pairs
            for one, two in zip(right, other, strict=True)
        ]
        return COSINE, min(cosines), float(numpy.mean(cosines))
    same = [
        one == two
        for right, other in pairs
        for one, two in zip(right.argmax(-1).ravel(), other.argmax(-1).ravel(), strict=True)
    ]
    return AGREEMENT, float(numpy.mean(same)), float(numpy.mean(same))


def _results(task: EncoderTask, model: object, items: Sequence[Item]) -> Iterator[numpy.ndarray]:
    """Yield each row's results: vectors (rows x size), or scores with the labels in the last dimension."""
    usual, task.model = task.model, model
    try:
        with torch.inference_mode():
            for item in items:
                if isinstance(task, SentenceEmbeddings):
                    yield task.vectors([item]).numpy()
                    continue
                output, _ = task.forward([item])
                for names in OUTPUTS[task.auto_class]:
                    values = output[names[0]].float()
                    yield values.reshape(-1, values.shape[-1]).numpy()
    finally:
        task.model = usual
