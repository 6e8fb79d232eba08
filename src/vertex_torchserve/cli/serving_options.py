"""Options that say how an archive is served; the same for every command that serves or registers one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vertex_torchserve.errors import Problem
    from vertex_torchserve.serving_plan import ContainerLimits, ServingPlan

Variables = Annotated[
    list[str] | None,
    typer.Option("--env", metavar="NAME=VALUE", help="Variable of the model's container; may be repeated."),
]
VariableFiles = Annotated[
    list[Path] | None,
    typer.Option("--env-file", metavar="FILE", help="File of NAME=VALUE lines; may be repeated."),
]
PredictRoute = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Where predictions are posted; else /predictions/NAME."),
]
HealthRoute = Annotated[str | None, typer.Option(metavar="PATH", help="What is asked for 200; else /ping.")]
Port = Annotated[int | None, typer.Option(help="Where the container listens; else 8080.")]
ContainerSpecForm = Annotated[
    str | None,
    typer.Option(
        "--container-spec",
        metavar="JSON|FILE",
        help="The rest of a ModelContainerSpec: probes, command, ...",
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        metavar="IMAGE", help="Serve it in a container of this; else in this Python, without Docker."
    ),
]
ReadyTimeout = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", help="How long the model may take to load; 600 if not given.", show_default=False
    ),
]


def plan_of(
    mar: Path,
    image: str | None,
    env: Sequence[str] | None,
    env_file: Sequence[Path] | None,
    *,
    predict_route: str | None = None,
    health_route: str | None = None,
    port: int | None = None,
    container_spec: str | None = None,
    limits: "ContainerLimits | None" = None,
    problems: "Sequence[Problem]" = (),
) -> "ServingPlan":
    """The plan that these options describe, with the probes that a registered image gets.

    Args:
        mar: The archive.
        image: Serves it in a container; None: this Python does.
        env: The variables of `--env`.
        env_file: The files of `--env-file`.
        predict_route: Where predictions are posted.
        health_route: What is asked for 200.
        port: Where the container listens.
        container_spec: The rest of the container, of `--container-spec`.
        limits: What the container is held to.
        problems: What is wrong with the command's other input, told with what is found here.

    Raises:
        InputError: The archive can't be read, there is no such image, or an option can't be used.
    """
    from vertex_torchserve.errors import raise_problems, told_together
    from vertex_torchserve.image_presence import image_problems
    from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
    from vertex_torchserve.serving_plan.container_given import container_given
    from vertex_torchserve.serving_plan.probes import probes_of
    from vertex_torchserve.serving_plan.variables_given import variables_given

    found = [*problems, *(image_problems(image) if image else [])]
    given, environment = ContainerSpec(), dict[str, str]()
    with told_together(found):
        given = container_given(container_spec)
    with told_together(found):
        environment = variables_given(env or (), env_file or ())
    startup_probe, health_probe = probes_of(image or given.image)
    container = ContainerSpec(
        image or given.image,
        predict_route=predict_route or given.predict_route,
        health_route=health_route or given.health_route,
        ports=given.ports if port is None else (port,),
        environment={**given.environment, **environment},
        startup_probe=startup_probe,
        health_probe=health_probe,
    )
    with told_together(found):
        plan = ServingPlan.of(mar, container.with_platform_fields(given), limits)
    raise_problems(found)
    return plan
