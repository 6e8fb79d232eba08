"""What is served and how, described once: the registry, the smoke test and the emulator are made from it.

Why there is one description: docs/decisions/0019-one-serving-plan.md.
"""

from vertex_torchserve.serving_plan.container_limits import ContainerLimits
from vertex_torchserve.serving_plan.container_spec import ContainerSpec
from vertex_torchserve.serving_plan.plan import ServingPlan
from vertex_torchserve.serving_plan.platform_variables import Place
from vertex_torchserve.serving_plan.probe import Probe
from vertex_torchserve.serving_plan.registered_form import container_spec_of, registered_form

__all__ = [
    "ContainerLimits",
    "ContainerSpec",
    "Place",
    "Probe",
    "ServingPlan",
    "container_spec_of",
    "registered_form",
]
