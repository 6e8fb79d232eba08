"""Endpoints and batch prediction jobs: the real SDK on one side, a real TorchServe on the other."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest
from google.api_core import exceptions
from google.cloud import aiplatform, storage
from google.cloud.aiplatform_v1.types import JobState

from vertex_torchserve.emulator import Emulator

Upload = Callable[..., aiplatform.Model]
Servers = Callable[[], set[psutil.Process]]
MACHINE = "n1-standard-4"


@pytest.fixture
def endpoint(vertex: Emulator) -> Iterator[aiplatform.Endpoint]:
    created = aiplatform.Endpoint.create(display_name="endpoint", labels={"kind": "test"})
    yield created
    created.delete(force=True)


def test_deploy_predict_undeploy(
    vertex: Emulator, upload: Upload, gcs: storage.Client, endpoint: aiplatform.Endpoint, servers: Servers
) -> None:
    gcs.bucket("models").blob("gone/model.mar").upload_from_string(
        gcs.bucket("models").blob("echo/model.mar").download_as_bytes()
    )
    model = upload(display_name="served", artifact_uri="gs://models/gone")
    # The endpoint serves the platform's own copy: what becomes of the original is nothing to it.
    gcs.bucket("models").blob("gone/model.mar").delete()
    endpoint.deploy(
        model,
        machine_type=MACHINE,
        accelerator_type="NVIDIA_TESLA_T4",  # recorded, not given: this machine has none
        accelerator_count=1,
        deployed_model_display_name="as-served",
    )

    answer = endpoint.predict(instances=[1, "two", {"three": [3]}])
    assert answer.predictions == [{"echo": 1.0}, {"echo": "two"}, {"echo": {"three": [3.0]}}]
    assert answer.model_resource_name == model.resource_name
    assert answer.model_version_id == "1"
    (deployed,) = endpoint.list_models()
    assert answer.deployed_model_id == deployed.id
    assert deployed.display_name == "as-served"
    assert endpoint.traffic_split == {deployed.id: 100}

    raw = httpx.post(
        f"{vertex.vertex_host}/v1/{endpoint.resource_name}:rawPredict",
        content=b'{"instances": ["raw"]}',
        headers={"Content-Type": "application/json"},
    )
    assert raw.json() == {"predictions": [{"echo": "raw"}]}
    assert raw.headers["X-Vertex-AI-Deployed-Model-Id"] == deployed.id
    assert raw.headers["X-Vertex-AI-Model"] == model.resource_name

    with pytest.raises(exceptions.InternalServerError, match="the prediction failed"):
        endpoint.predict(instances=["poison"])
    with pytest.raises(exceptions.BadRequest, match="1500000"):
        endpoint.predict(instances=["x" * 1_500_000])
    with pytest.raises(exceptions.FailedPrecondition, match="is deployed"):
        model.delete()
    with pytest.raises(exceptions.BadRequest, match=deployed.id):
        endpoint.delete()

    endpoint.undeploy(deployed.id)
    assert endpoint.list_models() == []
    assert servers() == set()
    with pytest.raises(exceptions.BadRequest, match="no deployed model"):
        endpoint.predict(instances=[1])
    model.delete()


def test_a_model_that_cannot_serve_ends_the_deployment_with_its_traceback(
    upload: Upload, endpoint: aiplatform.Endpoint, servers: Servers
) -> None:
    model = upload(artifact_uri="gs://models/broken")
    with pytest.raises(exceptions.FailedPrecondition, match="never became ready") as failure:
        endpoint.deploy(model, machine_type=MACHINE)
    assert "the weights are of another model" in str(failure.value)
    assert endpoint.list_models() == []
    assert servers() == set()


def test_the_routes_that_a_model_is_registered_with_are_served(
    upload: Upload, endpoint: aiplatform.Endpoint
) -> None:
    model = upload(serving_container_health_route="/healthy", serving_container_predict_route="/ask")
    endpoint.deploy(model, machine_type=MACHINE)
    assert endpoint.predict([1]).predictions == [{"echo": 1.0}]


def test_traffic_moves_between_two_models(upload: Upload, endpoint: aiplatform.Endpoint) -> None:
    upload(model_id="traffic")
    upload(parent_model="traffic")
    endpoint.deploy(aiplatform.Model("traffic@1"), machine_type=MACHINE)
    endpoint.deploy(aiplatform.Model("traffic@2"), machine_type=MACHINE, traffic_percentage=0)
    ids = {deployed.model_version_id: deployed.id for deployed in endpoint.list_models()}
    assert {endpoint.predict([1]).model_version_id for _ in range(5)} == {"1"}
    endpoint.update(traffic_split={ids["2"]: 100})
    assert {endpoint.predict([1]).model_version_id for _ in range(5)} == {"2"}
    with pytest.raises(exceptions.BadRequest, match="99"):
        endpoint.update(traffic_split={ids["2"]: 99})
    endpoint.undeploy(ids["1"])
    assert {endpoint.predict([1]).model_version_id for _ in range(5)} == {"2"}


def test_endpoints_are_created_found_and_updated(vertex: Emulator) -> None:
    created = aiplatform.Endpoint.create(display_name="found", endpoint_id="my-endpoint", labels={"a": "b"})
    assert created.resource_name.endswith("/endpoints/my-endpoint")
    assert [found.name for found in aiplatform.Endpoint.list(filter='display_name="found"')] == [
        "my-endpoint"
    ]
    created.update(display_name="renamed", labels={"c": "d"})
    again = aiplatform.Endpoint("my-endpoint")
    assert (again.display_name, again.labels) == ("renamed", {"c": "d"})
    with pytest.raises(exceptions.Conflict):
        aiplatform.Endpoint.create(display_name="again", endpoint_id="my-endpoint")
    again.delete()
    with pytest.raises(exceptions.NotFound):
        aiplatform.Endpoint("my-endpoint").gca_resource  # noqa: B018


def output(gcs: storage.Client, job: aiplatform.BatchPredictionJob) -> dict[str, list[Any]]:
    """The job's files by name, every line parsed."""
    folder = job.output_info.gcs_output_directory.removeprefix("gs://models/")
    blobs = gcs.list_blobs("models", prefix=f"{folder}/")
    return {
        blob.name.removeprefix(f"{folder}/"): [
            json.loads(line) for line in blob.download_as_bytes().splitlines()
        ]
        for blob in blobs
    }


def test_batch_prediction_groups_instances_and_keeps_failures_apart(
    vertex: Emulator, upload: Upload, gcs: storage.Client, servers: Servers
) -> None:
    bucket = gcs.bucket("models")
    bucket.blob("batch/in-1.jsonl").upload_from_string('1\n{"a": "é"}\n\n"poison"\n')
    bucket.blob("batch/in-2.jsonl").upload_from_string('4\n"5\u2028"\n')
    bucket.blob("batch/other.jsonl").upload_from_string("6\n")
    model = upload(display_name="batched")
    job = model.batch_predict(
        job_display_name="groups",
        instances_format="jsonl",
        gcs_source=["gs://models/batch/in-*", "gs://models/batch/other.jsonl"],
        gcs_destination_prefix="gs://models/batch-out",
        machine_type=MACHINE,
        batch_size=2,
    )
    assert job.state == JobState.JOB_STATE_SUCCEEDED
    assert job.output_info.gcs_output_directory.startswith("gs://models/batch-out/prediction-batched-20")
    assert (job.completion_stats.successful_count, job.completion_stats.failed_count) == (4, 2)
    files = output(gcs, job)
    assert files["prediction.results-00000-of-00001"] == [
        {"instance": 1, "prediction": {"echo": 1}},
        {"instance": {"a": "é"}, "prediction": {"echo": {"a": "é"}}},
        {"instance": "5\u2028", "prediction": {"echo": "5\u2028"}},
        {"instance": 6, "prediction": {"echo": 6}},
    ]
    errors = files["errors_0001.jsonl"]
    assert [(line["instance"], line["error"]["code"]) for line in errors] == [("poison", 13), (4, 13)]
    (stats,) = files["prediction.errors_stats-00000-of-00001"]
    assert stats["count"] == 2
    assert sorted(files) == [
        "errors_0001.jsonl",
        "prediction.errors_stats-00000-of-00001",
        "prediction.results-00000-of-00001",
    ]
    assert servers() == set()
    listed = aiplatform.BatchPredictionJob.list(filter='display_name="groups"')
    assert [found.resource_name for found in listed] == [job.resource_name]
    job.delete()
    with pytest.raises(exceptions.NotFound):
        aiplatform.BatchPredictionJob(job.resource_name)


@pytest.mark.parametrize(
    ("artifact", "source", "message"),
    [
        ("echo", "gs://models/batch/missing.jsonl", "missing.jsonl is not found"),
        ("echo", "gs://models/batch-bad.jsonl", r"batch-bad.jsonl:2 is not JSON"),
        ("broken", "gs://models/batch-good.jsonl", "the weights are of another model"),
    ],
)
def test_batch_jobs_that_fail(
    vertex: Emulator,
    upload: Upload,
    gcs: storage.Client,
    artifact: str,
    source: str,
    message: str,
    servers: Servers,
) -> None:
    gcs.bucket("models").blob("batch-bad.jsonl").upload_from_string("1\n{oops\n")
    gcs.bucket("models").blob("batch-good.jsonl").upload_from_string("1\n")
    model = upload(artifact_uri=f"gs://models/{artifact}")
    with pytest.raises(RuntimeError, match=message):
        model.batch_predict(
            job_display_name="fails",
            instances_format="jsonl",
            gcs_source=source,
            gcs_destination_prefix="gs://models/batch-out",
            machine_type=MACHINE,
        )
    assert servers() == set()


def test_a_job_is_cancelled(vertex: Emulator, upload: Upload, gcs: storage.Client, servers: Servers) -> None:
    gcs.bucket("models").blob("batch-long.jsonl").upload_from_string("1\n" * 10)
    job = upload().batch_predict(
        job_display_name="cancelled",
        instances_format="jsonl",
        gcs_source="gs://models/batch-long.jsonl",
        gcs_destination_prefix="gs://models/batch-out",
        machine_type=MACHINE,
        sync=False,
    )
    job.wait_for_resource_creation()
    refusal = httpx.delete(f"{vertex.vertex_host}/v1/{job.resource_name}")
    assert refusal.json()["error"]["status"] == "FAILED_PRECONDITION"
    job.cancel()
    with pytest.raises(RuntimeError, match="cancelled"):
        job.wait()
    assert job.state == JobState.JOB_STATE_CANCELLED
    assert servers() == set()
