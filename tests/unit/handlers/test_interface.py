"""A task's interface: it reads what its published schemas accept, and refuses what they refuse."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator
from jsonschema.validators import extend

from tests.unit.handlers.instances import fitting, instances, near
from vertex_torchserve.vertex_ai.predict_schemata import as_openapi

pytestmark = pytest.mark.usefixtures("handler_path")

TASKS = (
    "audio-classification",
    "automatic-speech-recognition",
    "document-question-answering",
    "feature-extraction",
    "fill-mask",
    "image-classification",
    "image-segmentation",
    "image-text-to-text",
    "image-to-text",
    "object-detection",
    "question-answering",
    "sentence-embeddings",
    "sentence-similarity",
    "summarization",
    "table-question-answering",
    "text-classification",
    "text-generation",
    "text-ranking",
    "text2text-generation",
    "token-classification",
    "translation",
    "visual-question-answering",
    "zero-shot-classification",
    "zero-shot-image-classification",
)
OFTEN = settings(
    max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


# Small enough for what tests/unit/handlers/instances.py makes to be now within and now beyond them.
SMALL_BOUNDS = SimpleNamespace(
    max_text_characters=6, max_labels=2, max_label_characters=5, max_stop_strings=1, max_stop_characters=5,
    max_messages=2, max_table_rows=2, max_table_columns=1, max_request_rows=2, max_request_images=1,
)  # fmt: skip


def interface_of(task: str) -> Any:
    from hf_handler.registry import task_class

    return task_class(task).interface


def refusal(interface: Any, instance: Any, parameters: Any = None) -> str | None:
    """What a client is told who sends an instance; None when it is read."""
    from hf_handler.media.files import open_file
    from hf_handler.schema import Refused

    try:
        interface.read(instance, parameters or {}, interface.defaults, lambda value: open_file(value, []))
    except Refused as error:
        assert error.status == 400
        return str(error)
    return None


def is_of_type(validator: Any, types: Any, value: Any, schema: Any) -> Any:
    """`type` as OpenAPI 3.0 has it: `nullable` beside it lets null pass."""
    if not (value is None and schema.get("nullable")):
        yield from Draft202012Validator.VALIDATORS["type"](validator, types, value, schema)


# Their `exclusiveMinimum` is a flag, as in draft 4.
OpenApiValidator = extend(
    Draft4Validator, {"type": is_of_type}, type_checker=Draft202012Validator.TYPE_CHECKER
)
OPENAPI_KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "anyOf", "allOf", "oneOf",
    "not", "minimum", "maximum", "exclusiveMinimum", "minLength", "minItems", "maxItems", "format",
    "nullable", "default", "maxLength", "maxProperties",
}  # fmt: skip


def test_every_task_is_here() -> None:
    from hf_handler import registry

    assert sorted(registry.TASKS) == list(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_the_reader_and_the_schemas_accept_the_same_instances(task: str) -> None:
    interface = interface_of(task).bounded(SMALL_BOUNDS)
    schema = interface.schemas()["instance"]
    published, openapi = Draft202012Validator(schema), OpenApiValidator(as_openapi(schema))
    seen: Counter[bool] = Counter()

    @OFTEN
    @given(instances(interface))
    def agree(instance: Any) -> None:
        told = refusal(interface, instance)
        seen[told is None] += 1
        assert published.is_valid(instance) == (told is None), told
        assert openapi.is_valid(instance) == (told is None), told

    agree()
    # How many of each differs with the modules that are loaded: hypothesis takes constants from them.
    assert seen[True] and seen[False], seen


@pytest.mark.parametrize("task", TASKS)
def test_the_reader_and_the_schemas_accept_the_same_parameters(task: str) -> None:
    usual = interface_of(task)  # of which the example is one that is read
    interface = replace(usual, parameters=usual.bounded(SMALL_BOUNDS).parameters)
    schema = interface.schemas()["parameters"]
    published = Draft202012Validator(schema)
    example = interface.example

    @OFTEN
    @given(near({**schema, "allOf": []}))
    def agree(parameters: Any) -> None:
        if isinstance(parameters, dict):
            assert published.is_valid(parameters) == (refusal(interface, example, parameters) is None)

    agree()


@pytest.mark.parametrize("task", TASKS)
def test_the_check_and_the_library_accept_the_same_values(task: str) -> None:
    interface = interface_of(task).bounded(SMALL_BOUNDS)
    for schema in (*interface.fields.values(), *interface.parameters.values()):
        assert_the_check_agrees(schema)


def assert_the_check_agrees(schema: Any) -> None:
    from hf_handler.schema import Refused, check

    validator = Draft202012Validator(schema)

    @settings(OFTEN, max_examples=20)
    @given(near(schema))
    def agree(value: Any) -> None:
        try:
            check(value, schema, "value")
        except Refused:
            assert not validator.is_valid(value)
        else:
            assert validator.is_valid(value)

    agree()


def keywords(schema: Any) -> set[str]:
    found = set(schema)
    for key in ("anyOf", "allOf", "oneOf"):
        found = found.union(*map(keywords, schema.get(key, ())))
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            found |= keywords(schema[key])
    return found.union(*map(keywords, schema.get("properties", {}).values()))


@pytest.mark.parametrize("task", TASKS)
def test_openapi_knows_every_keyword(task: str) -> None:
    for schema in interface_of(task).schemas().values():
        assert keywords(as_openapi(schema)) <= OPENAPI_KEYWORDS


TWICE = (
    ("text-classification", {"text": "A", "inputs": "B"}, "text is given twice: as text and as inputs"),
    (
        "text-classification",
        {"inputs": {"text": "A", "text_pair": "B"}, "text_pair": "C"},
        "text_pair is given twice: as inputs.text_pair and as text_pair",
    ),
    (
        "zero-shot-classification",
        {"text": "A", "sequence": "B", "labels": ["c"]},
        "text is given twice: as text and as sequence",
    ),
    (
        "zero-shot-classification",
        {"sequences": "A", "sequence": "B"},
        "text is given twice: as sequences and as sequence",
    ),
    (
        "image-classification",
        {"image": {"b64": ""}, "images": {"b64": ""}},
        "image is given twice: as image and as images",
    ),
    ("text-generation", {"prompt": "A", "inputs": "B"}, "text is given twice: as prompt and as inputs"),
    (
        "text-generation",
        {"text": "A", "max_tokens": 3, "max_new_tokens": 4},
        "max_new_tokens is given twice: as max_tokens and as max_new_tokens",
    ),
    (
        "text-generation",
        {"inputs": "A", "parameters": {"max_tokens": 3, "max_new_tokens": 3}},
        "max_new_tokens is given twice: as parameters.max_tokens and as parameters.max_new_tokens",
    ),
    (
        "text-classification",
        {"text": "A", "top_k": 1, "parameters": {"top_k": 2}},
        "top_k is given twice: as top_k and as parameters.top_k",
    ),
    (
        "summarization",
        {"text": "A", "parameters": {"seed": 1, "generate_kwargs": {"seed": 2}}},
        "seed is given twice: as parameters.seed and as parameters.generate_kwargs.seed",
    ),
    (
        "summarization",
        {"text": "A", "seed": 1, "parameters": {"generate_kwargs": {"seed": 2}}},
        "seed is given twice: as seed and as parameters.generate_kwargs.seed",
    ),
    (
        "summarization",
        {"text": "A", "parameters": {"generate_kwargs": {}, "generation_parameters": {}}},
        "generate_kwargs is given twice: as parameters.generate_kwargs and as "
        "parameters.generation_parameters",
    ),
)


@pytest.mark.parametrize(("task", "instance", "message"), TWICE)
def test_what_is_given_twice_is_refused(task: str, instance: Any, message: str) -> None:
    interface = interface_of(task)
    assert refusal(interface, instance) == f"{message}; send one of them"
    assert not Draft202012Validator(interface.schemas()["instance"]).is_valid(instance)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_tokens": 1, "max_new_tokens": 2}, "max_new_tokens is given twice: as max_tokens and"),
        (
            {"generate_kwargs": {"stop": "a"}, "stop_sequences": ["a"]},
            "stop is given twice: as stop_sequences and as generate_kwargs.stop;",
        ),
    ],
)
def test_a_call_s_parameters_given_twice_are_refused(parameters: Any, message: str) -> None:
    interface = interface_of("text-generation")
    for instance in ("A", {"text": "A", "seed": 1}):
        assert (refusal(interface, instance, parameters) or "").startswith(message)
    assert not Draft202012Validator(interface.schemas()["parameters"]).is_valid(parameters)


@pytest.mark.parametrize(
    ("own", "call", "chosen"),
    [
        ({"max_tokens": 3}, {"max_new_tokens": 4}, 3),
        ({"parameters": {"max_new_tokens": 3}}, {"generate_kwargs": {"max_tokens": 4}}, 3),
        ({"parameters": {"generate_parameters": {"max_tokens": 3}}}, {"max_new_tokens": 4}, 3),
        ({"seed": 1}, {"max_tokens": 4}, 4),
        ({}, {}, 20),
    ],
)
def test_an_instance_s_own_parameters_win(own: Any, call: Any, chosen: int) -> None:
    interface = interface_of("text-generation")
    query = interface.read({"text": "A", **own}, call, {"max_new_tokens": 20}, bytes)
    assert query.parameters["max_new_tokens"] == chosen


@pytest.mark.parametrize("task", ["image-classification", "audio-classification"])
def test_every_spelling_of_a_file(task: str) -> None:
    from hf_handler.media.files import open_file

    interface = interface_of(task)
    published = Draft202012Validator(interface.schemas()["instance"])
    b64 = {"b64": "aGk="}
    for file in (b64, {"data": b64}, {"data": "aGk="}, "aGk=", "data:x/y;base64,aGk="):
        for instance in (file, {interface.main: file}, {"inputs": file}, {"inputs": {interface.main: file}}):
            if instance != "aGk=" or interface.takes_file:
                query = interface.read(instance, {}, {}, lambda value: open_file(value, []))
                assert query.fields == {interface.main: b"hi"}
                assert published.is_valid(instance)


@pytest.mark.parametrize("instance", [{"b64": "dGhl"}, b"the", {"text": {"b64": "dGhl"}}, {"inputs": b"the"}])
def test_a_text_task_takes_no_file(instance: Any) -> None:
    interface = interface_of("text-classification")
    assert refusal(interface, instance) == "text must be a string, or a list of length at least 1, got a file"
    assert not Draft202012Validator(interface.schemas()["instance"]).is_valid(instance)


@pytest.mark.parametrize(
    "instance",
    [
        {"pairs": [["a", "b"]], "query": "c"},
        {"query": "a", "texts": ["b"], "text": "c"},
        {"text": "a", "text_pair": "b", "pairs": ["c", "d"]},
    ],
)
def test_fields_of_two_forms_are_refused(instance: Any) -> None:
    """One of the two would be dropped in silence."""
    told = refusal(interface_of("text-ranking"), instance)
    assert told is not None
    assert told.startswith("an object must have inputs, or pairs, or query and texts, or text and text_pair")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "string", "pattern": "a+"}, "the schema of text uses pattern, which `check` doesn't know"),
        (
            {"type": "string", "minimum": 3},
            "the schema of text uses minimum, which `check` doesn't know here",
        ),
        ({"type": "array", "items": {"type": "integer", "multipleOf": 2}}, "uses multipleOf"),
        ({"anyOf": [{"type": "object", "properties": {"a": {"const": 1}}}]}, "has the type None"),
        ({"type": ["string", "null"]}, "the schema of text has the type"),
        ({"anyOf": [{"type": "string"}], "oneOf": []}, "uses oneOf"),
    ],
)
def test_a_schema_that_the_check_does_not_know_fails_where_it_is_declared(schema: Any, message: str) -> None:
    from hf_handler.interface import Interface

    with pytest.raises(ValueError, match=r"the schema of text .*; fix: ") as raised:
        Interface(fields={"text": schema}, prediction={})
    assert message in str(raised.value)
    with pytest.raises(ValueError, match="the schema of top_k"):
        Interface(parameters={"top_k": schema}, prediction={})


def test_every_bound_of_a_schema_is_an_operator_s_to_set() -> None:
    """A number that is written into a schema instead would not follow model-config.yaml."""
    from hf_handler import bounds
    from hf_handler.settings import Settings

    known = {bound.setting: bound for bound in vars(bounds).values() if isinstance(bound, bounds.Bound)}
    assert {name: getattr(Settings(), name) for name in known} == known
    for task in TASKS:
        for schema in interface_of(task).schemas().values():
            assert_bounds_are_settings(schema, known)


def assert_bounds_are_settings(schema: Any, known: Any) -> None:
    from hf_handler.bounds import Bound

    if isinstance(schema, dict):
        for key in ("maxLength", "maxProperties"):
            if isinstance(schema.get(key), int):
                assert isinstance(schema[key], Bound) and schema[key].setting in known, schema
        schema = list(schema.values())
    for part in schema if isinstance(schema, list) else []:
        assert_bounds_are_settings(part, known)


def test_the_strategy_makes_what_fits() -> None:
    """Else the tests above would compare refusals only."""
    schema = {"type": "array", "items": {"type": "integer", "minimum": 2}, "minItems": 1}

    @OFTEN
    @given(fitting(schema), st.data())
    def fits(value: Any, _: Any) -> None:
        Draft202012Validator(schema).validate(value)

    fits()
