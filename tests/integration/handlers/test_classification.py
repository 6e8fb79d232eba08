"""Text classification against transformers' own pipeline."""

from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load
from tests.integration.handlers.handler_models import (
    TEXTS,
    WORDS,
    assert_same_labels,
    classify,
    predict,
    save_bert,
)


def test_the_same_as_the_pipeline(folder: Path, send: Any, transformers: Any) -> None:
    got = predict(send, *TEXTS)
    assert len({answer["label"] for answer in got}) > 1, "the model must tell the texts apart"
    for answer, expected in zip(got, classify(transformers, folder, TEXTS), strict=True):
        assert isinstance(answer, dict)
        assert_same_labels(answer, expected)


@pytest.mark.parametrize("top_k", [1, 2, 3, 10, None])
def test_top_k_as_in_the_pipeline(folder: Path, send: Any, transformers: Any, top_k: int | None) -> None:
    expected = classify(transformers, folder, TEXTS[:1], top_k=top_k)[0]
    for spelling in {top_k, None if top_k is None else float(top_k)}:
        (got,) = predict(send, {"inputs": TEXTS[0], "parameters": {"top_k": spelling}})
        assert_same_labels(got, expected)
    assert len(got) == (3 if top_k is None else min(top_k, 3))


def test_pairs_and_single_texts_in_one_batch(folder: Path, send: Any, transformers: Any) -> None:
    pair = {"text": TEXTS[0], "text_pair": TEXTS[1]}
    expected = classify(transformers, folder, [TEXTS[2], pair, {"text": TEXTS[3]}])
    got = predict(send, TEXTS[2], {"inputs": pair}, {"text": TEXTS[3]})
    for answer, other in zip(got, expected, strict=True):
        assert_same_labels(answer, other)


@pytest.mark.parametrize(
    "config",
    [
        {"problem_type": "multi_label_classification"},
        {"problem_type": "single_label_classification"},
        {"problem_type": "regression", "num_labels": 1},
        {"num_labels": 1},
    ],
)
def test_problem_types_as_in_the_pipeline(tmp_path: Path, transformers: Any, config: dict[str, Any]) -> None:
    save_bert(transformers, tmp_path, **config)
    expected = classify(transformers, tmp_path, TEXTS, top_k=None)
    got = predict(load(tmp_path), *({"text": text, "parameters": {"top_k": None}} for text in TEXTS))
    for answer, other in zip(got, expected, strict=True):
        assert_same_labels(answer, other)


def test_a_decoder_without_a_padding_token(tmp_path: Path, transformers: Any) -> None:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, "[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words,
        eos_token="[SEP]",  # noqa: S106 - no password
    ).save_pretrained(tmp_path)
    torch.manual_seed(4)
    config = transformers.GPT2Config(
        vocab_size=len(WORDS), n_embd=16, n_layer=1, n_head=2, n_positions=32, num_labels=3,
        initializer_range=0.5, eos_token_id=3, bos_token_id=3,
    )  # fmt: skip
    transformers.GPT2ForSequenceClassification(config).save_pretrained(tmp_path)
    expected = classify(transformers, tmp_path, TEXTS)
    for answer, other in zip(predict(load(tmp_path), *TEXTS), expected, strict=True):
        assert_same_labels(answer, other)


def test_a_text_longer_than_the_model_takes_is_cut(send: Any) -> None:
    at_limit, beyond = predict(send, "movie " * 30, "movie " * 500)  # 32 positions, two of them special
    assert_same_labels(beyond, at_limit)
