"""Our own envelope: call-level parameters reach the handler, and one bad request fails alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load
from tests.integration.handlers.handler_models import TEXTS, assert_same_labels, classify
from vertex_torchserve.serving.envelope.model_service_worker import register_envelope


@pytest.fixture(scope="module")
def enveloped(folder: Path) -> Any:
    register_envelope()
    return load(folder, envelope="instances")


def body(content: Any) -> bytes:
    """As TorchServe hands it over with decode_input_request=false."""
    return json.dumps(content).encode()


def test_parameters_of_the_call_and_of_the_instance(folder: Path, enveloped: Any, transformers: Any) -> None:
    own = {"inputs": TEXTS[1], "parameters": {"top_k": 3}}
    sent = enveloped(body({"instances": [TEXTS[0], own], "parameters": {"top_k": 2}}))
    first, second = sent.answers[0]["predictions"]
    (two,) = classify(transformers, folder, TEXTS[:1], top_k=2)
    (three,) = classify(transformers, folder, TEXTS[1:2], top_k=3)
    assert_same_labels(first, two)
    assert_same_labels(second, three)
    assert (len(first), len(second)) == (2, 3)


def test_a_bad_instance_fails_its_own_request_only(enveloped: Any) -> None:
    sent = enveloped(body({"instances": [TEXTS[0]]}), body({"instances": [7]}), body({"instances": []}))
    assert sent.statuses == [200, 400, 200]
    assert len(sent.answers[0]["predictions"]) == 1
    assert sent.answers[1] == {
        "error": "instance 0: text must be a string, or a list of length at least 1, got int"
    }
    assert sent.answers[2] == {"predictions": []}


def test_an_instance_that_looks_like_a_request_is_an_instance(enveloped: Any) -> None:
    assert enveloped(body({"instances": [{"body": "good movie"}]})).statuses == [400]
