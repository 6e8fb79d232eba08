from typing import Any

import pytest

from vertex_torchserve.emulator.rest.listing import page
from vertex_torchserve.emulator.rest.rpc_status import RpcError

MODELS: list[dict[str, Any]] = [
    {"name": "p/models/1", "displayName": "b", "createTime": "2026-01-02", "labels": {"team": "x", "s": ""}},
    {"name": "p/models/2", "displayName": "a", "createTime": "2026-01-01", "labels": {}},
    {"name": "p/models/3", "displayName": "a b", "createTime": "2026-01-03", "base": "bison"},
]


def base_models(model: dict[str, Any]) -> set[str]:
    return {model["base"]} if "base" in model else set()


def ids(**query: str) -> list[str]:
    answer = page(MODELS, query, collection="models", id_field="model", base_models=base_models)
    return [model["name"][-1] for model in answer["models"]]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", ["1", "2", "3"]),
        ('display_name="a"', ["2"]),
        ("displayName = a", ["2"]),
        ('display_name="a b"', ["3"]),
        ('display_name!="a"', ["1", "3"]),
        ("model=3", ["3"]),
        ('labels.team="x"', ["1"]),
        ("labels.team=x", ["1"]),
        ('labels."team"=x', ["1"]),
        ("labels.team!=x", ["2", "3"]),
        ("labels.s:*", ["1"]),
        ("labels:team", ["1"]),
        ('display_name!="a" AND labels.team!="x"', ["3"]),
        ('base_model_name="bison"', ["3"]),
        ("baseModelName=gecko", []),
    ],
)
def test_filters(expression: str, expected: list[str]) -> None:
    assert ids(filter=expression) == expected


@pytest.mark.parametrize(
    ("expression", "status"),
    [
        ("display_name", "INVALID_ARGUMENT"),
        ('display_name="a" labels.team=x', "INVALID_ARGUMENT"),
        ("colour=red", "INVALID_ARGUMENT"),
        ("labels=x", "INVALID_ARGUMENT"),
        ("display_name:a", "INVALID_ARGUMENT"),
        ("base_model_name!=a", "INVALID_ARGUMENT"),
        ("model=1 OR model=2", "UNIMPLEMENTED"),
    ],
)
def test_filters_that_are_refused(expression: str, status: str) -> None:
    with pytest.raises(RpcError) as refusal:
        ids(filter=expression)
    assert refusal.value.status == status


def test_a_documented_filter_on_jobs_is_not_emulated() -> None:
    with pytest.raises(RpcError) as refusal:
        page([], {"filter": "model_display_name=a"}, collection="jobs", id_field="batchPredictionJob")
    assert refusal.value.status == "UNIMPLEMENTED"


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("create_time", ["2", "1", "3"]),
        ("create_time desc", ["3", "1", "2"]),
        ("displayName, createTime desc", ["2", "3", "1"]),
    ],
)
def test_order(order: str, expected: list[str]) -> None:
    assert ids(orderBy=order) == expected


def test_pages_follow_each_other() -> None:
    first: dict[str, Any] = page(MODELS, {"pageSize": 2}, collection="models", id_field="model")
    assert [model["name"] for model in first["models"]] == ["p/models/1", "p/models/2"]
    token = first["nextPageToken"]
    rest = page(MODELS, {"pageSize": 2, "pageToken": token}, collection="models", id_field="model")
    assert [model["name"] for model in rest["models"]] == ["p/models/3"]
    assert "nextPageToken" not in rest


def test_a_page_token_of_somebody_else_is_refused() -> None:
    with pytest.raises(RpcError, match="pageToken"):
        ids(pageToken="abc")
