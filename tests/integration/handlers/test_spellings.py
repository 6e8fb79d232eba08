"""What clients of pipelines, and of servers made of them, send: answered as transformers answers it."""

from typing import Any

import pytest

from testbed.loaded_handler import load
from testbed.packaged_models import parameters, served
from testbed.tiny_models import make, samples
from tests.integration.handlers.handler_models import assert_same

LONG = "The train arrives at nine, and it leaves at ten from the small house of the king."


def answer(name: str, instance: Any, **call: Any) -> Any:
    """The prediction of one instance, with what the model's samples need."""
    status, body = served(name).answer({"instances": [instance], "parameters": {**parameters(name), **call}})
    assert status == 200, body
    (prediction,) = body["predictions"]
    return prediction


def refusal(name: str, instance: Any, **call: Any) -> tuple[int, str]:
    status, body = served(name).answer({"instances": [instance], "parameters": {**parameters(name), **call}})
    return status, body["error"]


READ = (
    "text-classification",
    "token-classification",
    "fill-mask",
    "feature-extraction",
    "sentence-embeddings",
)


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize(
    "without_effect",
    [
        {"truncation": True},
        {"truncation": "longest_first", "padding": True, "batch_size": 8, "num_workers": 0},
        {"tokenizer_kwargs": {"truncation": True, "padding": "longest"}},
        {"tokenize_kwargs": {"max_length": 128}},
        {"max_length": None, "batch_size": None},
    ],
    ids=["truncation", "all", "tokenizer_kwargs", "tokenize_kwargs", "null"],
)
def test_what_changes_nothing_is_taken(name: str, without_effect: dict[str, Any]) -> None:
    sample = samples(name)[0]
    usual = answer(name, sample)
    assert answer(name, sample, **without_effect) == usual
    assert answer(name, {"inputs": sample, "parameters": without_effect}) == usual


@pytest.mark.parametrize("name", ["text-classification", "zero-shot-classification", "sentence-embeddings"])
def test_max_length_reads_so_many_tokens(name: str) -> None:
    most = 16  # with the hypothesis of the zero-shot model
    cut = answer(name, LONG, max_length=most)
    assert cut != answer(name, LONG)
    assert answer(name, LONG, tokenizer_kwargs={"max_length": most, "truncation": True}) == cut
    assert refusal(name, LONG, max_length=most, truncation=False)[0] == 422


def test_max_length_is_that_of_the_pipeline(transformers: Any, tmp_path: Any) -> None:
    folder = make("text-classification", tmp_path)
    pipeline = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    expected = pipeline(LONG, truncation=True, max_length=6, top_k=None)
    assert_same(answer("text-classification", LONG, max_length=6, top_k=None), expected)


def test_a_max_length_without_room_for_a_text_is_refused() -> None:
    status, told = refusal("text-classification", LONG, max_length=2)
    assert status == 422
    assert told == "instance 0: max_length must exceed 2, the tokens that the model adds; got 2"


LISTS = {
    "text-classification": None,
    "token-classification": None,
    "fill-mask": None,
    "feature-extraction": None,
    "sentence-embeddings": "sentences",
    "zero-shot-classification": "sequences",
    "summarization": None,
    "translation": None,
    "text2text-generation": None,
    "text-generation": "text_inputs",
    "image-classification": "images",
    "zero-shot-image-classification": "image",
    "object-detection": "images",
    "image-segmentation": "images",
    "image-to-text": "images",
    "audio-classification": "audio",
    "automatic-speech-recognition": None,
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_answered_with_the_list_of_its_answers(name: str) -> None:
    several = samples(name)[:2]
    alone = [answer(name, one) for one in several]
    # A list by itself would be two instances of a request's list: here it is one.
    assert_same(answer(name, several), alone)
    assert_same(answer(name, {"inputs": several}), alone)
    if LISTS[name]:
        assert_same(answer(name, {LISTS[name]: several}), alone)


def test_lists_of_questions_and_contexts() -> None:
    one, other = samples("question-answering")[:2]
    questions, contexts = [one["question"], other["question"]], [one["context"], other["context"]]
    pairs = [answer("question-answering", row) for row in (one, other)]
    assert_same(answer("question-answering", {"question": questions, "context": contexts}), pairs)
    of_one = [answer("question-answering", {"question": each, "context": contexts[0]}) for each in questions]
    assert_same(answer("question-answering", {"question": questions, "context": contexts[0]}), of_one)
    status, told = refusal("question-answering", {"question": questions, "context": contexts * 2})
    assert (status, told) == (
        400,
        "instance 0: lists must have as many entries as each other; question has 2, context has 4",
    )


def test_lists_of_questions_about_a_table() -> None:
    sample = samples("table-question-answering")[0]
    alone = answer("table-question-answering", sample)
    listed = {**sample, "query": [sample["query"]] * 2}
    assert answer("table-question-answering", listed) == [alone, alone]
    status, told = refusal("table-question-answering", listed, sequential=True)
    assert (status, told) == (
        400,
        "instance 0: sequential takes one query: of several each is answered by itself",
    )


def test_a_bad_entry_of_a_list_fails_its_request_alone_and_is_named() -> None:
    status, told = refusal("text-classification", ["good", 7])
    assert (status, told) == (400, "instance 0: text[1] must be a string, got int")
    status, told = refusal("fill-mask", ["a [MASK]", "b"])
    assert status == 400
    assert told.startswith("instance 0: [1]: the text has no mask, [MASK]")


def test_labels_and_entities_as_older_pipelines_were_asked() -> None:
    text = samples("text-classification")[0]
    everything = answer("text-classification", text, return_all_scores=True)
    assert [one["label"] for one in everything] == ["NEGATIVE", "NEUTRAL", "POSITIVE"]
    ranked = answer("text-classification", text, top_k=None)
    assert sorted(everything, key=lambda one: -one["score"]) == ranked
    assert answer("text-classification", text, return_all_scores=False) == answer("text-classification", text)

    text = samples("token-classification")[0]
    for old, new in (
        ({"grouped_entities": True}, "simple"),
        ({"grouped_entities": True, "ignore_subwords": True}, "first"),
        ({"grouped_entities": False}, "none"),
        ({"grouped_entities": True, "aggregation_strategy": "max"}, "max"),
    ):
        expected = answer("token-classification", text, aggregation_strategy=new)
        assert answer("token-classification", text, **old) == expected, old


def test_other_names_mean_the_same() -> None:
    question = samples("question-answering")[0]
    assert answer("question-answering", question, max_answer_length=2) == answer(
        "question-answering", question, max_answer_len=2
    )
    text = samples("text-generation")[0]
    assert answer("text-generation", {"text_inputs": text}) == answer("text-generation", text)
    with_prefix = answer("text-generation", text, prefix="Once ", return_full_text=False)
    assert with_prefix == answer("text-generation", f"Once {text}", return_full_text=False)
    assert answer("text-generation", text, prefix="Once ")[0]["generated_text"].startswith(text)


@pytest.mark.parametrize(
    "name", ["summarization", "translation", "image-to-text", "image-text-to-text", "text-generation"]
)
def test_tasks_that_write_take_that_they_are_not_to_stream(name: str) -> None:
    sample = samples(name)[0]
    assert answer(name, sample, stream=False) == answer(name, sample)


@pytest.mark.parametrize(
    ("name", "parameters", "told"),
    [
        ("summarization", {"stream": True}, "stream must be false, got true"),
        ("text-classification", {"add_special_tokens": False}, "unknown parameters: add_special_tokens"),
        (
            "text-classification",
            {"tokenizer_kwargs": {"add_special_tokens": False}},
            "unknown parameters: add_special_tokens",
        ),
        ("feature-extraction", {"padding": "max_length"}, "padding must be true or false, or one of longest"),
        ("text-generation", {"watermark": True}, "watermark must be false, got true"),
        ("text-generation", {"grammar": {"type": "json"}}, "grammar must be null, got dict"),
        ("text-generation", {"truncate": 2, "truncation": False}, "truncate is 2"),
    ],
)
def test_what_would_change_an_answer_and_can_t_be_had_is_named(
    name: str, parameters: dict[str, Any], told: str
) -> None:
    status, error = refusal(name, samples(name)[0], **parameters)
    assert status in {400, 422}
    assert told in error


def test_without_an_envelope_a_list_in_an_instance_is_a_list_too(tmp_path: Any) -> None:
    send = load(make("text-classification", tmp_path), envelope=None)
    one = send("good movie").answers[0]
    answer = send({"instances": [["good movie", "good movie"]]}).answers[0]
    assert_same(answer, {"predictions": [[one, one]]})
