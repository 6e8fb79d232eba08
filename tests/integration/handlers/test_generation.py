"""Texts that models write: equal to transformers' pipelines, alone and in a batch, and in parts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import make, samples
from tests.integration.handlers.handler_models import ask_golden

GREEDY = {"do_sample": False, "max_new_tokens": 12}


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama with a chat template."""
    return make("text-generation", tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def send(chat: Path) -> Any:
    return load(chat)


def pipeline_of(transformers: Any, task: str, folder: Path) -> Callable[..., Any]:
    pipeline: Callable[..., Any] = transformers.pipeline(task, model=str(folder), device="cpu")
    return pipeline


def predictions(send: Any, instances: list[Any], **parameters: Any) -> list[Any]:
    """Each instance with the same parameters, all in one call."""
    rows = [
        {**(one if isinstance(one, dict) else {"inputs": one}), "parameters": parameters} for one in instances
    ]
    answer = send({"instances": rows})
    assert answer.statuses == [200]
    return list(answer.answers[0]["predictions"])


@pytest.mark.parametrize("name", ["text-generation", "text-generation-gpt2"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"return_full_text": False},
        {"num_beams": 3, "num_return_sequences": 2},
        {"repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "min_new_tokens": 5},
    ],
    ids=["greedy", "new text", "beams", "repetition"],
)
def test_texts_and_conversations_are_those_of_the_pipeline(
    transformers: Any, tmp_path: Path, name: str, parameters: dict[str, Any]
) -> None:
    folder = make(name, tmp_path)
    pipeline = pipeline_of(transformers, "text-generation", folder)
    instances = samples(name)
    inputs = [one["messages"] if isinstance(one, dict) else one for one in instances]
    expected = [pipeline(one, **GREEDY, **parameters) for one in inputs]
    assert predictions(load(folder), instances, **GREEDY, **parameters) == json.loads(json.dumps(expected))


def test_lengths_mean_the_same_for_different_prompts(transformers: Any, chat: Path, send: Any) -> None:
    pipeline = pipeline_of(transformers, "text-generation", chat)
    instances = [one for one in samples("text-generation") if isinstance(one, str)]
    expected = [pipeline(one, do_sample=False, max_length=30, min_length=25)[0] for one in instances]
    got = predictions(send, instances, do_sample=False, max_length=30.0, min_length=25.0)
    assert [record for (record,) in got] == expected


def test_every_spelling_of_a_conversation_is_one_and_the_same(send: Any) -> None:
    messages = [{"role": "user", "content": "Tell me a story."}]
    spellings = [
        messages,
        {"messages": messages},
        {"inputs": messages},
        {"inputs": {"messages": messages}},
        {"messages": messages, "max_tokens": 12, "do_sample": False},
    ]
    answers = (
        predictions(send, spellings[:4], **GREEDY)
        + send({"instances": spellings[4:]}).answers[0]["predictions"]
    )
    assert [answer[0]["generated_text"][0] for answer in answers] == [messages[0]] * 5
    assert {answer[0]["generated_text"][1]["role"] for answer in answers} == {"assistant"}
    assert len({json.dumps(answer) for answer in answers}) == 1


def test_a_stop_string_ends_the_text_before_it_and_nobody_elses(send: Any) -> None:
    texts = ["Once upon a time", "The train"]
    (whole,), (other,) = predictions(send, texts, return_full_text=False, **GREEDY)
    stop = whole["generated_text"][5:8]
    assert len(stop) == 3
    (short,), (same,) = predictions(send, texts, return_full_text=False, stop=[stop], **GREEDY)
    assert short["generated_text"] == whole["generated_text"][: whole["generated_text"].index(stop)]
    assert same["generated_text"] == other["generated_text"].split(stop)[0]


def test_a_seed_gives_the_same_text_whoever_shares_the_batch(send: Any) -> None:
    sampling = {"max_new_tokens": 12, "temperature": 1.5, "return_full_text": False}
    row = {"inputs": "The train", "parameters": {**sampling, "seed": 7}}
    other = {"inputs": "The train", "parameters": {**sampling, "seed": 8}}
    free = {"inputs": "Once upon a time there was a king", "parameters": sampling}
    alone = send({"instances": [row]}).answers[0]["predictions"][0]
    together = send({"instances": [free, row, other, row]}).answers[0]["predictions"]
    assert together[1] == together[3] == alone
    assert together[2] != alone


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"num_return_sequences": 3, "do_sample": False}, "these parameters don't go together"),
        ({"generate_kwargs": {"top_p": 2}}, "top_p must be a number above 0 and of at most 1, got 2"),
        ({"temperature": 0}, "temperature must be a number of at least 0.0001 and of at most 1000, got 0"),
        ({"model": "x"}, "unknown parameters: model"),
        ({"stream": True}, "this service envelope doesn't tell whose answer"),
    ],
)
def test_parameters_that_make_no_sense_are_the_clients_mistake(
    chat: Path, parameters: dict[str, Any], reason: str
) -> None:
    request = {"inputs": "The train", "parameters": {"max_new_tokens": 3, **parameters}}
    answer = load(chat, envelope=None)(request)
    assert answer.statuses == [400]
    assert reason in answer.answers[0]["error"]["message"]


def test_a_prompt_that_is_too_long_loses_its_beginning_and_says_so(chat: Path) -> None:
    send = load(chat, envelope=None)
    long = "the train arrives at nine " * 200
    answer = send({"inputs": long, "parameters": {"do_sample": False, "max_new_tokens": 4}})
    assert answer.statuses == [200]
    assert answer.answers[0][0]["generated_text"].startswith(long)


def test_without_a_chat_template_messages_are_refused(tmp_path: Path) -> None:
    answer = load(make("text-generation-gpt2", tmp_path), envelope=None)(
        {"messages": [{"role": "user", "content": "hi"}]}
    )
    assert answer.statuses == [400]
    assert "messages: the model has no chat template" in answer.answers[0]["error"]["message"]


@pytest.mark.parametrize("name", ["summarization", "text2text-generation", "translation-nllb", "translation"])
def test_a_batch_of_texts_is_answered_as_one_by_one(tmp_path: Path, name: str) -> None:
    task = name if name in {"summarization", "text2text-generation"} else "translation"
    folder = make(name, tmp_path)
    write_manifest(folder, config=f"handler: {{task: {task}}}")
    send = load(folder)
    parameters = {"src_lang": "eng_Latn", "tgt_lang": "fra_Latn"} if name == "translation-nllb" else {}
    together = predictions(send, samples(name), max_new_tokens=10, **parameters)
    alone = [predictions(send, [one], max_new_tokens=10, **parameters)[0] for one in samples(name)]
    assert together == alone
    assert len({json.dumps(one) for one in together}) > 1


def test_an_unknown_language_is_named_with_those_there_are(tmp_path: Path) -> None:
    folder = make("translation-nllb", tmp_path)
    write_manifest(folder, config="handler: {task: translation}")
    answer = load(folder, envelope=None)({"inputs": "Hello.", "parameters": {"tgt_lang": "xxx"}})
    assert answer.statuses == [422]
    assert "'xxx' is unknown; accepted: eng_Latn, deu_Latn, fra_Latn" in answer.answers[0]["error"]["message"]


@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("summarization", "summarization"),
        ("text2text-generation", "text2text-generation"),
        ("translation", "translation_en_to_de"),
        ("translation-nllb", "translation"),
        ("translation-marian", "translation"),
    ],
)
def test_texts_are_those_of_the_pipelines_that_transformers_4_57_had(
    tmp_path: Path, name: str, task: str
) -> None:
    # 4.57 took its own 4 beams before those of the model's generation config; the handler does not.
    usual = {"num_beams": 4} if name in {"summarization", "translation-marian"} else {}
    pairs = zip(*ask_golden(name, task, tmp_path, **usual), strict=True)
    different = [(case, got) for case, got in pairs if case["prediction"] != got]
    # 4.57 took no notice of a max_length that was sent where the model has none of its own, and warned.
    if name in {"text2text-generation", "translation", "translation-nllb"}:
        different = [pair for pair in different if "max_length" not in pair[0]["parameters"]]
    assert different == []


@pytest.mark.parametrize(
    "name", ["text-generation", "summarization", "translation-nllb", "translation-marian"]
)
@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
def test_a_text_that_is_too_long_is_cut_or_refused_as_it_asks(tmp_path: Path, name: str) -> None:
    folder = make(name, tmp_path)
    task = "translation" if name.startswith("translation") else name
    write_manifest(folder, config=f"handler: {{task: {task}}}")
    send = load(folder, envelope=None)
    parameters = {"max_new_tokens": 2, "truncation": True}
    long = {"inputs": "the train arrives at nine " * 200, "parameters": parameters}
    assert send(long).statuses == [200]
    parameters["truncation"] = False
    answer = send(long)
    assert answer.statuses == [422]
    assert "tokens, the model takes" in answer.answers[0]["error"]["message"]


def test_prompts_with_other_lengths_of_text_are_written_together(send: Any) -> None:
    model = send.service.context.huggingface.task.model
    instances = [
        {"inputs": text, "parameters": {"do_sample": False, "details": True, "max_new_tokens": most}}
        for text, most in zip(
            ["The train", "Once upon a time there was a king", "The"], [3, 20, 9], strict=True
        )
    ]
    alone = [send({"instances": [one]}).answers[0]["predictions"][0] for one in instances]
    sizes: list[int] = []
    hook = model.model.register_forward_pre_hook(
        lambda _model, _args, inputs: sizes.append(len(inputs["input_ids"])), with_kwargs=True
    )
    try:
        together = send({"instances": instances}).answers[0]["predictions"]
    finally:
        hook.remove()
    assert rounded(together) == rounded(alone)
    lengths = [one[0]["details"]["generated_tokens"] for one in together]
    # A step runs the texts that have a token still to come: so many of them have at least as many tokens.
    assert sizes == [sum(length >= step for length in lengths) for step in range(1, max(lengths) + 1)]
    assert lengths[0] == 3
    assert max(lengths) > 9


def rounded(answers: Any) -> Any:
    """With log-probabilities to four places: padding changes the last ones."""
    return json.loads(json.dumps(answers), parse_float=lambda digits: round(float(digits), 4))
