"""Whatever a client sends is answered or refused: never a 500, never a dead worker.

`VTS_FUZZ_EXAMPLES=10000` sends as many instances and parameters to each task.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from handler_models import load, write_manifest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiny_models import CATALOGUE, make, samples

EXAMPLES = int(os.environ.get("VTS_FUZZ_EXAMPLES", "60"))
TASKS = (
    "text-classification",
    "token-classification",
    "question-answering",
    "zero-shot-classification",
    "fill-mask",
    "sentence-embeddings",
    "sentence-similarity",
    "text-ranking",
)

TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", " ", "[MASK]", "[SEP] [CLS]", "\x00", "\ud800", "{}", "a" * 3000, "word " * 600]),
)
NUMBER = st.one_of(st.integers(), st.floats(), st.sampled_from([0, 1, 2, 3.0, -1, 127, 128, 2**63, 10**400]))
SCALAR = st.one_of(st.none(), st.booleans(), NUMBER, TEXT, st.binary(max_size=20))
ANYTHING = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def instances(name: str, task_class: Any) -> st.SearchStrategy[Any]:
    """Valid instances with valid, nearly valid and senseless values for fields and parameters."""
    texts = st.lists(TEXT, max_size=4)
    field = st.one_of(TEXT, texts, st.lists(texts, max_size=3), ANYTHING)
    fields = st.fixed_dictionaries({}, optional=dict.fromkeys(task_class.fields, field))
    parameters = st.fixed_dictionaries(
        {}, optional={key: of_schema(schema) | ANYTHING for key, schema in task_class.parameters.items()}
    )
    wrapped = st.fixed_dictionaries(
        {"inputs": field | fields | st.sampled_from(samples(name))}, optional={"parameters": parameters}
    )
    mixed = st.tuples(st.sampled_from(samples(name)), fields, parameters).map(
        lambda parts: {**(parts[0] if isinstance(parts[0], dict) else {}), **parts[1], "parameters": parts[2]}
    )
    return st.one_of(ANYTHING, TEXT, wrapped, wrapped, mixed, mixed)


def of_schema(schema: Any) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of(*map(of_schema, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"]))
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": TEXT | st.just("About {}."),
        "boolean": st.booleans(),
        "integer": st.integers(min_value=0, max_value=400) | st.integers(),
        "number": NUMBER,
        "null": st.none(),
        "array": st.lists(TEXT, max_size=4),
    }
    return kinds.get(schema.get("type"), ANYTHING)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
def test_only_answers_and_refusals(name: str, tmp_path: Path) -> None:
    import huggingface_handler as handler

    task = CATALOGUE[name].task
    folder = make(name, tmp_path / "model")
    write_manifest(folder, config=f"handler: {{task: {task}, max_batch_tokens: 512}}")
    send = load(folder, envelope=None)

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(instances(name, handler.TASKS[task]), min_size=1, max_size=4))
    def check(several: list[Any]) -> None:
        result = send(*({"instances": [instance]} for instance in several))
        for instance, status, answer in zip(several, result.statuses, result.answers, strict=True):
            assert status in {200, 400, 422}, (instance, answer)

    check()
    assert send(
        samples(name)[0]
        if task != "zero-shot-classification"
        else {"inputs": samples(name)[0], "parameters": {"candidate_labels": ["music"]}}
    ).statuses == [200]
