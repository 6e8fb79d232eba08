"""What a deployed model runs on: what is refused, what it takes of which quota, what is sent."""

from google.cloud.aiplatform_v1.types import DedicatedResources

from vertex_torchserve.vertex_ai import Deployment, Machines

T4 = Machines("n1-standard-8", "NVIDIA_TESLA_T4", 2, min_replicas=1, max_replicas=3)


def test_everything_wrong_is_said_at_once() -> None:
    wrong = Deployment(
        project="My Project",
        location="mars-1",
        model="bert",
        traffic=101,
        machines=Machines(
            "big", "T4", 0, min_replicas=3, max_replicas=2, required_replicas=4, autoscaling={"load": 0}
        ),
    )
    said = [problem.message for problem in wrong.problems()]
    assert [message.split(":")[0] for message in said[:3]] == [
        "project 'My Project' is no project id",
        "location 'mars-1' is not a Vertex AI region; accepted",
        "traffic 101",
    ]
    for words in (
        "machine type 'big'",
        "accelerator type 'T4' is unknown; accepted: NVIDIA_TESLA_K80",
        "accelerator type T4 with 0 accelerators",
        "3 to 2 replicas",
        "4 required replicas of 3",
        "autoscaling metric 'load' is unknown; accepted: cpu, gpu, requests",
        "autoscaling target load=0",
    ):
        assert any(words in message for message in said), words
    assert len(said) == 10


def test_quota_is_charged_for_the_most_replicas() -> None:
    assert T4.quotas() == {"custom_model_serving_cpus": 24, "custom_model_serving_nvidia_t4_gpus": 6}
    assert Machines("a3-highgpu-1g", "NVIDIA_H100_80GB", 1, spot=True).quotas() == {
        "custom_model_serving_preemptible_nvidia_h100_gpus": 1
    }
    assert T4.in_words() == "n1-standard-8 with 2 NVIDIA_TESLA_T4, 1 to 3 replicas"


def test_what_is_sent() -> None:
    machines = Machines(min_replicas=0, max_replicas=2, spot=True, autoscaling={"cpu": 70, "x.com/y": 3})
    assert DedicatedResources.to_dict(machines.dedicated_resources()) == {
        **DedicatedResources.to_dict(DedicatedResources()),
        "machine_spec": {
            "machine_type": "n1-standard-4",
            "accelerator_type": 0,
            "accelerator_count": 0,
            "gpu_partition_size": "",
            "tpu_topology": "",
        },
        "max_replica_count": 2,
        "spot": True,
        "autoscaling_metric_specs": [
            {
                "metric_name": "aiplatform.googleapis.com/prediction/online/cpu/utilization",
                "target": 70,
            },
            {"metric_name": "x.com/y", "target": 3},
        ],
    }
