"""The handler's interface is the same without the libraries that it computes with; and what it refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import PROGRAM_SECONDS
from vertex_torchserve.handler_interface import program
from vertex_torchserve.packaged_files import packaged_file

HANDLERS = packaged_file("handlers/huggingface_handler.py").parent
EVERY_TASK = f"""
import json, runpy, sys
program = runpy.run_path({program.__file__!r})
sys.meta_path.insert(0, program["_EmptyLibraries"]())
from hf_handler.registry import TASKS
print(json.dumps({{task: program["told"]({{"task": task}}, [], ".") for task in TASKS}}))
"""
TEXT = "text-classification"
EMBEDDINGS = "sentence-embeddings"
PICTURES = "image-classification"
CHATS = "text-generation"


@pytest.mark.usefixtures("handler_path")
def test_no_library_is_needed_to_tell_what_a_task_takes() -> None:
    from hf_handler.published_schemas import schemas

    environment = {**os.environ, "PYTHONPATH": str(HANDLERS)}
    told = subprocess.run(
        [sys.executable, "-P", "-c", EVERY_TASK],
        env=environment, capture_output=True, text=True, check=True, timeout=PROGRAM_SECONDS,
    ).stdout  # fmt: skip
    for task, each in json.loads(told).items():
        assert each["schemas"] == json.loads(json.dumps(schemas(task))), task


@pytest.mark.usefixtures("handler_path")
@pytest.mark.parametrize(
    ("task", "request_", "fault"),
    [
        (TEXT, {"instances": ["good", {"text": "bad", "top_k": 2}], "parameters": {"top_k": None}}, None),
        (TEXT, {"instances": ["a"], "predictions": [{"label": "x", "score": 1}]}, None),
        (PICTURES, {"instances": [{"image": "https://example.com/cat.png"}]}, None),
        (PICTURES, {"instances": [{"data": "https://example.com/cat.png"}]}, None),
        (PICTURES, {"instances": [{"b64": "aGVsbG8="}]}, None),
        (CHATS, {"instances": [{"@requestFormat": "chatCompletions", "messages": [{"role": "user",
         "content": "hi"}]}], "predictions": [{"choices": []}]}, None),
        (TEXT, {"instances": ["a", {"b64": "aGVsbG8="}]}, "instance 1: text must be a string, or a list of "
         "length at least 1, got a file"),
        (EMBEDDINGS, {"instances": [{"table": {"a": ["1"]}, "query": "?"}]}, "got the unknown 'table'"),
        (PICTURES, {"instances": ["good movie"]}, "instance 0: b64 is not valid base64"),
        ("question-answering", {"instances": [{"question": "who?"}]}, "instance 0: an object must have "),
        (TEXT, {"instances": ["a"], "parameters": {"candidate_labels": ["x"]}},
         "parameters: unknown parameters: candidate_labels; accepted: top_k, "),
        (TEXT, {"instances": ["a"], "parameters": {"top_k": "many"}}, "parameters: top_k must be "),
        (TEXT, {"instances": ["a"], "predictions": [[0.1, 0.2]]}, "predictions[0] must be an object"),
        (EMBEDDINGS, {"instances": ["a", "b"], "predictions": [[0.5], {"label": "x", "score": 1.0}]},
         "predictions[1]"),
    ],
)  # fmt: skip
def test_what_a_task_can_t_be_asked(task: str, request_: dict[str, Any], fault: str | None) -> None:
    faults = program.told({"task": task}, [request_], Path())["faults"]
    assert [fault in each for each in faults] == [True] if fault else faults == []


@pytest.mark.usefixtures("handler_path")
def test_each_request_that_can_t_be_used_is_told_by_its_number() -> None:
    good, bad = {"instances": ["a"]}, {"instances": ["a", 5, {}]}
    faults = program.told({"task": TEXT}, [good, bad, good, bad], Path())["faults"]
    assert [each.partition(" must")[0] for each in faults] == [
        "request 2: instance 1: text",
        "request 4: instance 1: text",
    ]


@pytest.mark.usefixtures("handler_path")
def test_an_operator_s_own_bounds_and_form_of_answers_count() -> None:
    settings = {"task": TEXT, "max_text_characters": 3, "response": "huggingface"}
    answered = {"instances": ["abc"], "predictions": [[{"label": "x", "score": 1.0}]]}
    assert program.told(settings, [answered], Path())["faults"] == []
    (fault,) = program.told(settings, [{"instances": ["abcd"]}], Path())["faults"]
    assert fault.startswith("instance 0: text must have at most 3 characters, got 4")
