"""Packs: the same answers as one by one, in order, whatever fails beside them."""

import logging
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples
from tests.integration.handlers.handler_models import assert_same

LENGTHS = [3, 60, 1, 17, 17, 2, 45, 8, 30, 5, 100, 1]
WORDS = [
    "the",
    "movie",
    "was",
    "good",
    "and",
    "the",
    "music",
    "in",
    "the",
    "city",
    "of",
    "Berlin",
    "was",
    "a",
    "great",
    "joy",
    "to",
    "all",
    "people",
]


def sentence(length: int) -> str:
    return " ".join(WORDS[index % len(WORDS)] for index in range(length))


def served(tmp_path: Path, name: str, **settings: Any) -> Any:
    folder = make(name, tmp_path / "model")
    settings = {"task": CATALOGUE[name].task, **settings}
    write_manifest(
        folder, config="handler:\n" + "".join(f"  {key}: {value}\n" for key, value in settings.items())
    )
    return load(folder, envelope=None)


def test_packs_of_any_lengths_answer_as_one_by_one(tmp_path: Path) -> None:
    import torch

    send = served(tmp_path, "sentence-embeddings", max_batch_tokens=128)
    texts = [sentence(length) for length in LENGTHS]
    together = torch.tensor(send({"instances": texts}).answers[0]["predictions"])
    alone = torch.tensor([send(text).answers[0] for text in texts])
    assert torch.cosine_similarity(together, alone).min() >= 0.9999
    assert not torch.allclose(together[0], together[1], atol=1e-2), "texts of different meaning differ"


@pytest.mark.parametrize(
    "name",
    [
        "text-classification",
        "token-classification",
        "question-answering",
        "zero-shot-classification",
        "fill-mask",
    ],
)
def test_requests_in_one_batch_answer_as_alone(tmp_path: Path, name: str) -> None:
    send = served(tmp_path, name)
    parameters = CATALOGUE[name].parameters
    bodies = [{"inputs": sample, "parameters": parameters} for sample in samples(name)]
    for body, answer in zip(bodies, send(*bodies).answers, strict=True):
        assert_same(answer, send(body).answers[0])


def packs(lengths: list[int], budget: int, groups: list[Any] | None = None) -> list[list[int]]:
    from hf_handler.items import Item
    from hf_handler.packs import packs_of

    items = [
        Item(None, length, group)
        for length, group in zip(lengths, groups or [None] * len(lengths), strict=True)
    ]
    return list(packs_of(items, budget))


def test_packs_hold_neighbours_in_length_within_the_budget() -> None:
    assert packs([9, 2, 3, 2, 40, 8], budget=18) == [[1, 3, 2], [5, 0], [4]]
    assert packs([5], budget=1) == [[0]]
    assert packs([2, 2, 2, 2], budget=100, groups=["a", "b", "a", "b"]) == [[0, 2], [1, 3]]


@pytest.fixture
def breakable(tmp_path: Path) -> Any:
    """A classifier whose forward can be told to fail."""
    from hf_handler.service import Service

    send = served(tmp_path, "text-classification", max_batch_tokens=4096)
    service = send.service.context.huggingface
    assert isinstance(service, Service)
    return send, service.task


def test_out_of_memory_halves_the_pack_and_goes_on(breakable: Any, caplog: pytest.LogCaptureFixture) -> None:
    import torch

    send, task = breakable
    texts = [sentence(length) for length in LENGTHS]
    expected = [send(text).answers[0] for text in texts]
    forward, sizes = task.model.forward, []

    def small_memory(**batch: Any) -> Any:
        sizes.append(len(batch["input_ids"]))
        if sizes[-1] > 3:
            raise torch.OutOfMemoryError("out of memory")
        return forward(**batch)

    task.model.forward = small_memory
    with caplog.at_level(logging.WARNING):
        answers = send({"instances": texts}).answers[0]["predictions"]
    assert_same(answers, expected)
    assert sizes[0] == len(LENGTHS)
    assert "out of memory with 12 rows: going on with 6" in caplog.text
    sizes.clear()
    assert_same(send({"instances": texts}).answers[0]["predictions"], expected)
    assert sizes[0] < len(LENGTHS), "the next batch begins with what fitted"


def test_a_model_that_fails_on_one_text_fails_its_request_only(
    breakable: Any, caplog: pytest.LogCaptureFixture
) -> None:
    send, task = breakable
    poison = task.tokenizer.convert_tokens_to_ids("violin")
    assert poison != task.tokenizer.unk_token_id
    forward = task.model.forward

    def poisoned(**batch: Any) -> Any:
        if (batch["input_ids"] == poison).any():
            raise RuntimeError("secret violin")
        return forward(**batch)

    task.model.forward = poisoned
    with caplog.at_level(logging.ERROR):
        result = send("the movie", {"instances": ["good", "a violin"]}, "the city")
    assert result.statuses == [200, 500, 200]
    assert result.answers[1] == {"error": {"code": 500, "message": "instance 1: the prediction failed"}}
    assert "RuntimeError at " in caplog.text
    assert "secret" not in caplog.text


def test_a_text_that_is_cut_is_named_in_a_header(tmp_path: Path) -> None:
    send = served(tmp_path, "text-classification")
    long = sentence(500)
    result = send({"instances": ["short", long, "short", long]}, "short", long)
    assert result.statuses == [200, 200, 200]
    assert result.headers("x-truncated") == ["1,3", None, "0"]
    enveloped = load(tmp_path / "model", envelope="json")
    assert enveloped({"instances": ["short", long]}).headers("x-truncated") == ["1"]


@pytest.mark.parametrize("name", ["text-classification", "token-classification"])
def test_a_text_that_is_too_long_is_refused_when_asked_for(tmp_path: Path, name: str) -> None:
    send = served(tmp_path, name, truncation="error", max_length=20)
    result = send({"instances": ["short", " ".join(["movie"] * 50)]}, "movie")
    assert result.statuses == [422, 200]
    # The words, and the two tokens that begin and end a text.
    message = "instance 1: the text has 52 tokens, the model takes 20"
    assert result.answers[0]["error"]["message"] == message


def test_failures_are_handed_to_an_envelope_that_takes_them(tmp_path: Path) -> None:
    from ts.context import RequestProcessor

    import huggingface_handler as handler

    send = served(tmp_path, "text-classification")
    context = send.service.context
    context.request_processor = [RequestProcessor({}) for _ in range(3)]
    context.instance_parameters = [{}, {}, {}, {"top_k": 0}, {}, {}]
    context.instance_requests, context.instance_failures = [0, 0, 1, 1, 2, 2], {}
    predictions = handler.handle(["good", 7, "bad", "movie", sentence(500), "good"], context)
    assert predictions is not None
    assert predictions[:4] == [None] * 4  # nobody reads what else a failed request asks for
    assert set(predictions[4]) == set(predictions[5]) == {"label", "score"}
    assert context.instance_failures == {
        1: (400, "instance 1: text must be a string, or a list of length at least 1, got int"),
        3: (400, "instance 1: top_k must be a whole number of at least 1, or null, got 0"),
    }
    assert context.request_processor[2].get_response_header("x-truncated") == "0"


def test_what_stands_behind_a_bad_instance_is_not_read(tmp_path: Path) -> None:
    """A request of 100,000 bad instances took three seconds to refuse, one exception each."""
    from ts.context import RequestProcessor

    import huggingface_handler as handler

    read: list[str] = []

    class Watched(dict[str, str]):
        def items(self) -> Any:
            read.append(self["text"])
            return super().items()

    send = served(tmp_path, "text-classification")
    context = send.service.context
    context.request_processor = [RequestProcessor({}) for _ in range(2)]
    context.instance_parameters = [{}] * 4
    context.instance_requests, context.instance_failures = [0, 0, 0, 1], {}
    instances = [Watched(text="good"), 7, Watched(text="behind"), Watched(text="other")]
    predictions = handler.handle(instances, context)
    assert predictions is not None
    assert read == ["good", "other"]
    assert predictions[:3] == [None] * 3
    assert set(predictions[3]) == {"label", "score"}
    assert context.instance_failures == {
        1: (400, "instance 1: text must be a string, or a list of length at least 1, got int")
    }


@pytest.mark.parametrize(
    ("settings", "nearest"),
    [
        ({"dtype": "bfloat16"}, 0.999),
        ({"attn_implementation": "eager"}, 0.99999),
    ],
)
def test_settings_of_speed_keep_the_answers(tmp_path: Path, settings: Any, nearest: float) -> None:
    import torch

    texts = [sentence(length) for length in LENGTHS]
    plain = served(tmp_path / "plain", "sentence-embeddings", max_batch_tokens=512)
    fast = served(tmp_path / "fast", "sentence-embeddings", max_batch_tokens=512, **settings)
    slow, quick = (
        torch.tensor(send({"instances": texts}).answers[0]["predictions"]) for send in (plain, fast)
    )
    assert torch.cosine_similarity(slow, quick).min() > nearest
    assert not torch.equal(slow, quick), "the setting changes something"


def test_parameters_of_the_archive_give_way_to_the_calls(tmp_path: Path) -> None:
    send = served(tmp_path, "text-classification", parameters="{top_k: 1}")
    own = {"inputs": "good", "parameters": {"top_k": 3}}
    (answer,) = send({"instances": ["good", own], "parameters": {"top_k": 2}}).answers
    assert [len(labels) for labels in answer["predictions"]] == [2, 3]
    assert len(send("good").answers[0]) == 1
