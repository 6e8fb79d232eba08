"""Options of the commands that talk to Vertex AI: where it is, and what a model runs on there."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vertex_torchserve.errors import InputError, Problem

if TYPE_CHECKING:
    from vertex_torchserve.vertex_ai import Machines

Project = Annotated[
    str, typer.Option(envvar="GOOGLE_CLOUD_PROJECT", show_envvar=True, help="Google Cloud project id.")
]
Location = Annotated[
    str, typer.Option(envvar="GOOGLE_CLOUD_LOCATION", show_envvar=True, help="Vertex AI region.")
]
ModelVersion = Annotated[
    str | None,
    typer.Argument(metavar="MODEL", help="Name, id or resource name; @VERSION or @ALIAS may follow."),
]
MachineType = Annotated[str, typer.Option(metavar="TYPE", help="Machine of each replica.")]
Accelerator = Annotated[
    str | None, typer.Option(metavar="TYPE", help="Such as NVIDIA_L4 or NVIDIA_TESLA_T4.")
]
AcceleratorCount = Annotated[
    int | None, typer.Option(help="Accelerators of each replica; 1 with --accelerator.", show_default=False)
]
ServiceAccount = Annotated[
    str | None, typer.Option(metavar="EMAIL", help="Account that the container runs as.")
]
# The same as in vertex_ai.machines, whose import would make `--help` slow.
MACHINE_TYPE = "n1-standard-4"


def machines_of(
    machine_type: str,
    accelerator: str | None,
    accelerator_count: int | None,
    *,
    replicas: tuple[int, int | None] = (1, None),
    spot: bool = False,
    autoscale: Sequence[str] = (),
) -> "Machines":
    """The machines that these options describe.

    Raises:
        InputError: `autoscale` holds what isn't METRIC=TARGET.
    """
    from vertex_torchserve.vertex_ai import Machines

    targets = {}
    for each in autoscale:
        metric, _, target = each.rpartition("=")
        if not metric or not target.isdecimal():
            raise InputError(
                Problem(f"--autoscale {each!r} is not METRIC=TARGET", "write one such as `cpu=70`")
            )
        targets[metric] = int(target)
    return Machines(
        machine_type=machine_type,
        accelerator_type=accelerator,
        accelerator_count=(1 if accelerator else 0) if accelerator_count is None else accelerator_count,
        min_replicas=replicas[0],
        max_replicas=replicas[1],
        spot=spot,
        autoscaling=targets,
    )


def parameters_of(text: str | None) -> dict[str, Any] | None:
    """The object that `--parameters` holds.

    Raises:
        InputError: It is no JSON object.
    """
    if text is None:
        return None
    try:
        parameters = json.loads(text)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise InputError(
            Problem(f"--parameters {text} is no JSON object", """write one such as '{"top_k": 3}'""")
        )
    return parameters
