"""How a text was written: what text-generation-inference's clients ask for."""

from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load
from testbed.tiny_models import make

GREEDY = {"do_sample": False, "max_new_tokens": 12, "return_full_text": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make("text-generation", tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def send(folder: Path) -> Any:
    return load(folder, envelope=None)


def records(send: Any, text: Any, **parameters: Any) -> Any:
    answer = send({"inputs": text, "parameters": {**GREEDY, **parameters}})
    assert answer.statuses == [200], answer.answers
    return answer.answers[0]


def test_log_probabilities_are_the_model_s_own(send: Any, folder: Path, transformers: Any) -> None:
    import torch

    (record,) = records(send, "The train", details=True, top_n_tokens=3)
    details = record["details"]
    assert details["finish_reason"] == "length"
    assert details["generated_tokens"] == 12 == len(details["tokens"]) == len(details["top_tokens"])
    assert details["prefill"] == []
    assert details["seed"] is None

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    prompt = tokenizer("The train")["input_ids"]
    assert details["prompt_tokens"] == len(prompt)
    ids = [token["id"] for token in details["tokens"]]
    with torch.inference_mode():
        logits = model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
    expected = logits.log_softmax(dim=-1)
    for place, (token, others) in enumerate(zip(details["tokens"], details["top_tokens"], strict=True)):
        assert token["logprob"] == pytest.approx(float(expected[place, token["id"]]), abs=1e-4)
        assert [other["id"] for other in others] == expected[place].topk(3).indices.tolist()
        assert others[0]["id"] == token["id"]  # greedy
    assert "".join(token["text"] for token in details["tokens"]) == tokenizer.decode(ids)


def test_counts_cost_no_list(send: Any) -> None:
    (record,) = records(send, "The train", details="counts", seed=7)
    prompt = record["details"].pop("prompt_tokens")
    assert record["details"] == {"finish_reason": "length", "generated_tokens": 12, "seed": 7}
    assert 0 < prompt < 20


def test_why_a_text_ended(send: Any) -> None:
    (whole,) = records(send, "Once upon a time")
    stop = whole["generated_text"][5:8]
    (record,) = records(send, "Once upon a time", details="counts", stop=[stop])
    assert record["details"]["finish_reason"] == "stop_sequence"
    assert record["details"]["generated_tokens"] < 12

    from hf_handler.text.details import ending_of

    assert ending_of([5, 6, 2, 2], {2}, 2, stopped=False) == ([5, 6, 2], "eos_token")
    assert ending_of([5, 6, 2, 2], {2}, 2, stopped=True) == ([5, 6], "stop_sequence")
    assert ending_of([5, 6], {2}, 2, stopped=False) == ([5, 6], "length")


def test_the_best_of_several_is_the_one_whose_tokens_are_likeliest(send: Any) -> None:
    sampling = {"do_sample": True, "temperature": 1.5, "seed": 3, "best_of": 4, "details": True}
    (record,) = records(send, "The train", **sampling)
    others = record["details"]["best_of_sequences"]
    assert len(others) == 3

    def mean(tokens: list[Any]) -> float:
        return float(sum(token["logprob"] for token in tokens) / len(tokens))

    best = mean(record["details"]["tokens"])
    assert all(mean(other["tokens"]) <= best for other in others)
    (alone,) = records(send, "The train", **{**sampling, "details": False})
    assert alone == {"generated_text": record["generated_text"]}


def test_a_penalty_keeps_tokens_from_coming_again(send: Any) -> None:
    def repeated(**parameters: Any) -> int:
        (record,) = records(send, "The train", details=True, max_new_tokens=40, **parameters)
        ids = [token["id"] for token in record["details"]["tokens"]]
        return len(ids) - len(set(ids))

    usual = repeated()
    assert usual > 0
    assert repeated(frequency_penalty=2, presence_penalty=2) < usual
    assert repeated(frequency_penalty=-2, presence_penalty=-2) > usual


def test_penalties_count_what_was_written_not_the_prompt() -> None:
    import torch

    from hf_handler.text.token_log import Penalties

    penalties = Penalties(frequency=0.5, presence=1.0)
    scores = torch.zeros(1, 4)
    prompt = torch.tensor([[3, 3]])
    assert penalties(prompt, scores).tolist() == [[0, 0, 0, 0]]
    written = torch.tensor([[3, 3, 1, 1, 2]])
    assert penalties(written, scores).tolist() == [[0, -2.0, -1.5, 0]]


def test_truncate_reads_the_end_of_a_prompt(send: Any) -> None:
    (record,) = records(send, "Once upon a time there was a king", truncate=4, details="counts")
    assert record["details"]["prompt_tokens"] == 4


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"details": True, "num_beams": 2}, "take num_beams of 1"),
        ({"best_of": 2, "num_return_sequences": 3, "do_sample": True}, "best_of must be at least"),
        ({"best_of": 2}, "these parameters don't go together"),
        ({"top_n_tokens": 21}, "top_n_tokens must be a whole number of at least 0 and of at most 20, got 21"),
        ({"frequency_penalty": 3}, "frequency_penalty must be a number"),
        ({"decoder_input_details": True}, "decoder_input_details must be false"),
        ({"tools": [{"type": "function"}]}, "tools takes messages, not a text"),
    ],
)
def test_what_can_t_be_told_is_refused(send: Any, parameters: dict[str, Any], told: str) -> None:
    answer = send({"inputs": "The train", "parameters": {**GREEDY, **parameters}})
    assert answer.statuses == [400]
    assert told in answer.answers[0]["error"]["message"]
