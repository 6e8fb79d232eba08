"""What a deployed model runs on: machine, accelerators, replicas; which quota that takes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from google.cloud.aiplatform_v1.types import (
    AcceleratorType,
    AutoscalingMetricSpec,
    DedicatedResources,
    MachineSpec,
)

from vertex_torchserve.errors import Problem

DEFAULT_MACHINE_TYPE = "n1-standard-4"
# Short names of metrics; others are given as Vertex AI calls them (AutoscalingMetricSpec.metric_name).
AUTOSCALING_METRICS = {
    "cpu": "aiplatform.googleapis.com/prediction/online/cpu/utilization",
    "gpu": "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle",
    "requests": "aiplatform.googleapis.com/prediction/online/request_count",
}
_MACHINE_TYPE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
# The last number of a type's name is its cores; where GPUs are built in it may be their number, `1g`.
_CORES = re.compile(r"-(\d+)$")


@dataclass(frozen=True)
class Machines:
    """The machines of one deployed model.

    Attributes:
        machine_type: A machine type of the region.
        accelerator_type: A name of `AcceleratorType`, such as `NVIDIA_L4`; None for none.
        accelerator_count: For each replica.
        min_replicas: Always running; 0 is Vertex AI's to accept or to refuse.
        max_replicas: At most; as many as `min_replicas` when None.
        required_replicas: How many must run before the deployment counts as done; all when None.
        spot: Take spot VMs, which are cheaper and may be taken away.
        autoscaling: `cpu`, `gpu`, `requests` or a metric's whole name -> percent, or requests a minute.
    """

    machine_type: str = DEFAULT_MACHINE_TYPE
    accelerator_type: str | None = None
    accelerator_count: int = 0
    min_replicas: int = 1
    max_replicas: int | None = None
    required_replicas: int | None = None
    spot: bool = False
    autoscaling: Mapping[str, int] = field(default_factory=dict)

    @property
    def most_replicas(self) -> int:
        """The most that may run; quota is charged for all of them."""
        return max(1, self.min_replicas) if self.max_replicas is None else self.max_replicas

    def problems(self) -> Iterator[Problem]:
        """What can't be, without asking Google."""
        if not _MACHINE_TYPE.fullmatch(self.machine_type):
            yield Problem(
                f"machine type {self.machine_type!r} is none of Google's", "write one such as n1-standard-4"
            )
        accelerators = [kind.name for kind in AcceleratorType if kind.value]
        if self.accelerator_type is not None and self.accelerator_type not in accelerators:
            yield Problem(
                f"accelerator type {self.accelerator_type!r} is unknown; accepted: {', '.join(accelerators)}",
                "give one of these",
            )
        if (self.accelerator_type is None) != (self.accelerator_count == 0):
            yield Problem(
                f"accelerator type {self.accelerator_type} with {self.accelerator_count} accelerators",
                "give both --accelerator and --accelerator-count, or none of them",
            )
        if self.min_replicas < 0 or self.most_replicas < max(1, self.min_replicas):
            yield Problem(
                f"{self.min_replicas} to {self.most_replicas} replicas; 0 or more, and at most no fewer than "
                "at least, are accepted",
                "correct --min-replicas or --max-replicas",
            )
        if self.required_replicas is not None and not 1 <= self.required_replicas <= self.min_replicas:
            yield Problem(
                f"{self.required_replicas} required replicas of {self.min_replicas}; 1 to as many as "
                "--min-replicas are accepted",
                "correct --required-replicas",
            )
        for name, target in self.autoscaling.items():
            if name not in AUTOSCALING_METRICS and "/" not in name:
                yield Problem(
                    f"autoscaling metric {name!r} is unknown; accepted: {', '.join(AUTOSCALING_METRICS)}, or "
                    "a metric's whole name such as aiplatform.googleapis.com/prediction/online/request_count",
                    "give one of these",
                )
            if target < 1:
                yield Problem(f"autoscaling target {name}={target}", "give a number of 1 or more")

    def in_words(self) -> str:
        """Such as `n1-standard-4 with 1 NVIDIA_TESLA_T4, 1 to 3 replicas, spot`."""
        accelerators = (
            f" with {self.accelerator_count} {self.accelerator_type}" if self.accelerator_type else ""
        )
        most, least = self.most_replicas, self.min_replicas
        count = f"{least} to {most} replicas" if most != least else f"{most} replica{'s' if most > 1 else ''}"
        scaled = "".join(f", scaled at {name}={target}" for name, target in self.autoscaling.items())
        return f"{self.machine_type}{accelerators}, {count}{scaled}{', spot' if self.spot else ''}"

    def quotas(self) -> dict[str, int]:
        """Quota metric -> how much of it is charged: for the most replicas, whether they run or not.

        `max_replica_count` of DedicatedResources says what is charged; the cores of a type are in its name,
        but for some with built-in accelerators, which are left out.
        """
        kind = "preemptible_" if self.spot else ""
        charged = {}
        if cores := _CORES.search(self.machine_type):
            charged[f"custom_model_serving_{kind}cpus"] = self.most_replicas * int(cores[1])
        if self.accelerator_type and self.accelerator_type.startswith("NVIDIA_"):
            name = self.accelerator_type.removeprefix("NVIDIA_").removeprefix("TESLA_").lower()
            name = {"h100_80gb": "h100", "h200_141gb": "h200"}.get(name, name)
            charged[f"custom_model_serving_{kind}nvidia_{name}_gpus"] = (
                self.most_replicas * self.accelerator_count
            )
        return charged

    def dedicated_resources(self) -> DedicatedResources:
        """As a request to deploy has them."""
        return DedicatedResources(
            machine_spec=MachineSpec(
                machine_type=self.machine_type,
                accelerator_type=self.accelerator_type,
                accelerator_count=self.accelerator_count,
            ),
            min_replica_count=self.min_replicas,
            max_replica_count=self.most_replicas,
            required_replica_count=self.required_replicas,
            spot=self.spot,
            autoscaling_metric_specs=[
                AutoscalingMetricSpec(metric_name=AUTOSCALING_METRICS.get(name, name), target=target)
                for name, target in self.autoscaling.items()
            ],
        )
