"""Wrong inputs: every one named, with what is accepted and the fix, before anything is looked at."""

import re
import time
from datetime import date
from typing import Any

import pytest
from kfp import dsl

from vertex_torchserve.component.artifacts import VertexModel
from vertex_torchserve.component.input_problems import input_problems
from vertex_torchserve.component.inputs import ComponentInputs
from vertex_torchserve.component.run import run
from vertex_torchserve.errors import InputError

TODAY = date(2026, 11, 22)
OWN_IMAGE = "europe-west2-docker.pkg.dev/p/serving/torchserve-gpu:latest"
NEEDED: dict[str, Any] = {
    "project_id": "my-project",
    "location": "europe-west2",
    "gcs_model_path": "gs://bucket/model",
    "local_model_file": "ckpt.pt",
    "model_display_name": "demo",
}
CUSTOM: dict[str, Any] = {"custom_container": True, "serving_container_image_uri": OWN_IMAGE}
OTHER_CUSTOM: dict[str, Any] = {**CUSTOM, "serving_container_image_uri": "europe-docker.pkg.dev/p/r/mine:1"}
STAGED: dict[str, Any] = {"extra_files_staging_path": "gs://bucket/extra"}


def problems(**inputs: Any) -> list[tuple[str, str]]:
    found = input_problems(ComponentInputs.given(**{**NEEDED, **inputs}), TODAY)
    return [(each.message, each.fix) for each in found]


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        CUSTOM,
        {**STAGED, "handler": "handler.py:predict", "extra_prediction_files": "a.py, b/c.json,"},
        {**STAGED, "handler": "src/handler.py", "extra_prediction_files": "src,src/a.json,src/,src/lib/"},
        {**CUSTOM, **STAGED, "requirements": "requirements.txt"},
        {**CUSTOM, **STAGED, "requirements": "requirements.txt", "vendor_wheels": "index"},
        {**CUSTOM, "vendor_wheels": "gs://bucket/wheels"},
        {**CUSTOM, "model_name": "custom_model", "predict_route": "/predictions/custom_model"},
        {**OTHER_CUSTOM, "model_name": "custom_model", "predict_route": "/predictions/custom_model"},
        {**CUSTOM, "model_name": "bert", "predict_route": "/v1/predict", "health_route": "/health"},
        {**CUSTOM, "serving_container_ports": [8080.0], "serving_environment_vars": {"N": 3.0, "S": True}},
        {"handler": "huggingface"},
        {"handler": "text_classifier"},
        {"handler": "endpoint:handler.py"},
        {"handler": "sagemaker:code/inference.py"},
        {**STAGED, "handler": "sagemaker:src/inference.py"},
        {"parent_model": "123", "is_default_version": True, "version_aliases": ["v1-0", "golden"]},
        {"parent_model": "projects/1/locations/europe-west2/models/123@2"},
        {"labels": {"team": "nlp", "größe": "1_a-b", "empty": ""}},
        {"gcs_model_path": "/gcs/bucket/model/"},
        {"custom_tokenizer_path": "gs://bucket/tokenizer.pkl"},
        {"model_archive_path": "gs://bucket/model/archives"},
    ],
)
def test_right_inputs_have_no_problem(inputs: dict[str, Any]) -> None:
    assert problems(**inputs) == []


@pytest.mark.parametrize(
    ("inputs", "named", "fix"),
    [
        ({"project_id": ""}, ["no project"], "project id"),
        ({"location": "mars-1"}, ["'mars-1'", "europe-west2", "us-central1"], "one of these"),
        ({"location": ""}, ["''", "europe-west2"], "one of these"),
        ({"gcs_model_path": ""}, ["gcs_model_path", "''", "gs://BUCKET/KEY"], "gs://my-bucket"),
        ({"gcs_model_path": "s3://b/m"}, ["gcs_model_path", "s3://b/m", "gs://BUCKET/KEY"], "gs://"),
        ({"gcs_model_path": "gs://b!/m"}, ["gcs_model_path", "b!", "3 to 63"], "bucket"),
        ({"local_model_file": ""}, ["local_model_file is empty"], "pytorch_model.bin"),
        ({"local_model_file": "../ckpt.pt"}, ["local_model_file", "'../ckpt.pt'"], "beneath the folder"),
        ({"model_display_name": ""}, ["display name ''", "1 to 128"], "length"),
        ({"model_display_name": "é" * 129}, ["129 characters", "1 to 128"], "length"),
        ({"version": " "}, ["version is empty"], "'v1.0'"),
        ({**CUSTOM, "model_name": "a b", "predict_route": "/predictions/a"}, ["'a b'"], "`model`"),
        ({"model_name": "bert", "predict_route": "/predictions/bert"}, ["'bert'", "model.mar"], "'model'"),
        ({**STAGED, "requirements": "r.txt"}, ["'r.txt'", "prebuilt"], "custom_container=True"),
        ({"vendor_wheels": "index"}, ["vendor_wheels 'index'", "prebuilt"], "custom_container=True"),
        (
            {**CUSTOM, "vendor_wheels": "torchserve-cpu:dev"},
            ["vendor_wheels 'torchserve-cpu:dev'", "gs://", "a task has no Docker"],
            "`index` to download them in the task",
        ),
        ({**CUSTOM, "vendor_wheels": "gs://b!/w"}, ["vendor_wheels", "b!", "3 to 63"], "bucket"),
        ({"serving_container_image_uri": OWN_IMAGE}, [OWN_IMAGE, "prebuilt"], "custom_container=True"),
        ({"custom_container": True}, ["pytorch-cpu.2-4", "prebuilt"], "your own image"),
        (
            {**OTHER_CUSTOM, "model_name": "bert", "predict_route": "/predict"},
            ["'/predict'", "'bert'", "only images named torchserve-cpu or torchserve-gpu serve others"],
            "'/predictions/bert'",
        ),
        ({"predict_route": "/predictions/other"}, ["'/predictions/other'"], "'/predictions/model'"),
        ({**OTHER_CUSTOM, "health_route": "/health"}, ["'/health'"], "'/ping'"),
        ({**CUSTOM, "predict_route": "/a?b"}, ["predict_route '/a?b' is not a path"], "'/predictions/model'"),
        ({**CUSTOM, "health_route": "health"}, ["health_route 'health' is not a path"], "'/ping'"),
        (
            {**CUSTOM, "predict_route": "/ping"},
            ["'/ping' is the route of health checks"],
            "'/predictions/model'",
        ),
        ({**STAGED, "extra_prediction_files": "a//"}, ["'a//'", "a name"], "beneath the folder"),
        ({**STAGED, "extra_prediction_files": "/"}, ["'/'", "a name"], "beneath the folder"),
        ({"handler": "handler.py"}, ["handler", "'handler.py'"], "extra_files_staging_path"),
        ({**CUSTOM, "requirements": "r.txt"}, ["requirements", "'r.txt'"], "extra_files_staging_path"),
        ({"model_file": "net.py"}, ["model_file", "'net.py'"], "extra_files_staging_path"),
        ({**STAGED, "model_file": "net"}, ["model_file 'net' is not a .py file"], "the model's class"),
        ({"smoke_test_instances": "i.json"}, ["smoke_test_instances", "'i.json'"], "staging_path"),
        (
            {"extra_prediction_files": "labels.json"},
            ["extra_prediction_files", "labels.json"],
            "staging_path",
        ),
        ({**STAGED, "handler": "handler"}, ["'handler'", "FILE.py", "huggingface"], "name of the handler"),
        (
            {"handler": "endpoint:handler"},
            ["'endpoint:handler'", "`endpoint:FILE.py`"],
            "name of the handler",
        ),
        ({"handler": "sagemaker:../i.py"}, ["handler 'sagemaker:../i.py' is not a name in a folder"], "name"),
        ({**STAGED, "extra_prediction_files": "a.py,../b"}, ["'../b'", "a name"], "beneath the folder"),
        ({**STAGED, "handler": "gs://b/h.py"}, ["'gs://b/h.py'", "FILE.py"], "name of the handler"),
        (
            {"extra_files_staging_path": "staging"},
            ["extra_files_staging_path", "'staging'", "gs://"],
            "gs://",
        ),
        ({"custom_tokenizer_path": "tok.pkl"}, ["custom_tokenizer_path", "'tok.pkl'", "gs://"], "gs://"),
        ({"custom_tokenizer_name": "tok.pkl"}, ["'tok.pkl'", "custom_tokenizer_path"], "gs:// path"),
        (
            {"custom_tokenizer_path": "gs://bucket/t", "custom_tokenizer_name": "/t"},
            ["custom_tokenizer_name", "'/t'"],
            "beneath the folder",
        ),
        ({"model_archive_path": "out"}, ["model_archive_path", "'out'", "gs://"], "gs://"),
        ({"model_archive_path": "gs://bucket/model/"}, ["'gs://bucket/model/'", "itself"], "another folder"),
        ({"extra_files_to_ignore": [3.0]}, ["extra_files_to_ignore", "3.0", "patterns"], "as text"),
        ({**CUSTOM, "serving_container_ports": [0]}, ["port 0", "1 to 65535"], "8080"),
        ({**CUSTOM, "serving_container_ports": [8080.5]}, ["port 8080.5", "whole numbers"], "8080"),
        ({**CUSTOM, "serving_container_ports": ["8080"]}, ["port '8080'", "whole numbers"], "8080"),
        ({**CUSTOM, "serving_container_ports": [float("inf")]}, ["port inf", "1 to 65535"], "8080"),
        ({**CUSTOM, "serving_container_ports": [True]}, ["port True", "whole numbers"], "8080"),
        ({**CUSTOM, "serving_environment_vars": {"AIP_MODE": "x"}}, ["'AIP_MODE'", "AIP_"], "another name"),
        ({**CUSTOM, "serving_environment_vars": {"A=B": "x"}}, ["'A=B'", "`=`"], "another name"),
        ({**CUSTOM, "serving_environment_vars": {"A": None}}, ["A is a NoneType", "string"], "string"),
        ({"version_aliases": ["v1.0"]}, ["'v1.0'", "no dots"], "`v1-0`"),
        ({"version_aliases": [1.0]}, ["1.0", "letters"], "v1-0"),
        ({"labels": {"Team": "nlp"}}, ["'Team'", "lowercase"], "lowercase"),
        ({"labels": {"team": "N L P"}}, ["'N L P'", "lowercase"], "lowercase"),
        ({"labels": {"size": 3.0}}, ["'size' has the value 3.0", "lowercase"], "lowercase"),
        ({"labels": {"team": "x" * 64}}, ["team", "up to 63"], "lowercase"),
        ({"parent_model": "models/123"}, ["'models/123'", "projects/PROJECT"], "Model Registry"),
        (
            {"parent_model": "projects/p/locations/us-east1/models/123"},
            ["us-east1", "'europe-west2'"],
            "'us-east1'",
        ),
    ],
)
def test_one_wrong_input_is_one_problem(inputs: dict[str, Any], named: list[str], fix: str) -> None:
    ((message, advice),) = problems(**inputs)
    for words in named:
        assert words in message
    assert fix in advice


def test_63_labels_are_accepted_and_64_are_not_because_one_is_ours() -> None:
    assert problems(labels={f"label-{number}": "" for number in range(63)}) == []
    ((message, _),) = problems(labels={f"label-{number}": "" for number in range(64)})
    assert message == "64 labels; up to 63 are accepted"


def test_an_empty_string_is_not_given() -> None:
    blank = dict.fromkeys(
        (
            "model_name",
            "version",
            "extra_files_staging_path",
            "extra_prediction_files",
            "handler",
            "requirements",
            "custom_tokenizer_path",
            "custom_tokenizer_name",
            "serving_container_image_uri",
            "health_route",
            "predict_route",
            "model_description",
            "parent_model",
            "version_description",
            "model_archive_path",
            "smoke_test_instances",
            "model_file",
            "invoke_route_prefix",
            "service_account",
            "encryption_spec_key_name",
            "model_id",
        ),
        "",
    )
    inputs = ComponentInputs.given(**NEEDED, **blank)
    assert input_problems(inputs, TODAY) == []
    assert inputs.handler_name == "base_handler"
    assert (inputs.model_name, inputs.version) == ("model", "v1.0")
    assert inputs.container_spec(TODAY).image == (
        "europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest"
    )
    assert inputs.upload().form() == {
        "parent": "projects/my-project/locations/europe-west2",
        "model": {"displayName": "demo", "labels": {}},
    }


def test_a_blank_predict_route_follows_the_model_name() -> None:
    inputs = ComponentInputs.given(**NEEDED, **CUSTOM, model_name="bert", predict_route="", health_route="")
    assert input_problems(inputs, TODAY) == []
    container = inputs.container_spec(TODAY)
    assert (container.predict_route, container.health_route) == ("/predictions/bert", "/ping")


def test_all_wrong_inputs_are_named_at_once_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both services point nowhere: whoever asked them would be told so, and not of the inputs."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("VERTEX_AI_EMULATOR_HOST", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(InputError) as raised:
        run(
            VertexModel(),
            dsl.HTML(),
            dsl.Metrics(),
            project_id="",
            location="mars-1",
            gcs_model_path="model",
            local_model_file="",
            model_display_name="",
            model_name="bert",
            version=" ",
            extra_files_to_ignore=[3.0],
            extra_prediction_files="labels.json,../x",
            handler="handler.txt",
            requirements="requirements.txt",
            custom_tokenizer_name="tok.pkl",
            health_route="/health",
            predict_route="/predict",
            serving_container_ports=[0.0],
            parent_model="models/1",
            version_aliases=["v1.0"],
            labels={"Team": "nlp"},
            model_archive_path="out",
            smoke_test_instances="instances.json",
        )
    assert time.monotonic() - started < 30
    message = str(raised.value)
    for value in (
        "no project",
        "'mars-1'",
        "gcs_model_path: 'model'",
        "local_model_file is empty",
        "display name ''",
        "model_name 'bert'",
        "version is empty",
        "extra_files_to_ignore holds 3.0",
        "extra_prediction_files 'labels.json'",
        "extra_prediction_files '../x'",
        "'handler.txt' is not a .py file",
        "handler 'handler.txt' is given, but no extra_files_staging_path",
        "requirements 'requirements.txt' with a prebuilt",
        "requirements 'requirements.txt' is given, but no extra_files_staging_path",
        "custom_tokenizer_name 'tok.pkl'",
        "health_route '/health'",
        "predict_route '/predict'",
        "'models/1'",
        "alias 'v1.0'",
        "label 'Team'",
        "model_archive_path: 'out'",
        "smoke_test_instances 'instances.json'",
    ):
        assert value in message
    counted = re.match(r"(\d+) problems with the input:", message)
    assert counted is not None
    assert int(counted[1]) == len(raised.value.problems) == message.count("fix: ")
    assert raised.value.exit_code == 2
