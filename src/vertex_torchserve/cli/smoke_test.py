"""`vertex-torchserve smoke-test`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vertex_torchserve.cli.console import messages, output, print_json
from vertex_torchserve.cli.serving_options import (
    ContainerSpecForm,
    HealthRoute,
    Image,
    Port,
    PredictRoute,
    ReadyTimeout,
    VariableFiles,
    Variables,
    plan_of,
)

if TYPE_CHECKING:
    from vertex_torchserve.smoke_test.registered_image import Inventory


_IN_CONTAINER = "In a container of --image"


def smoke_test(
    mar: Annotated[Path, typer.Argument(metavar="MODEL.mar", help="The archive to serve.")],
    instances: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instances or requests, .json or .jsonl; the archive's golden requests if not given.",
        ),
    ] = None,
    image: Image = None,
    inventory: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|IMAGE",
            help="The image that this Python is compared with, or its inventory.json; `cpu` if not given, "
            "`gpu`, `none`.",
        ),
    ] = None,
    with_lock: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Serve it with the versions of this lock or inventory.json, installed once in the cache.",
        ),
    ] = None,
    env: Variables = None,
    env_file: VariableFiles = None,
    predict_route: PredictRoute = None,
    health_route: HealthRoute = None,
    port: Port = None,
    container_spec: ContainerSpecForm = None,
    like_vertex: Annotated[
        bool,
        typer.Option(
            "--like-vertex",
            help="As many workers as fit; a container has 2 cores and 7.5 GiB, as n1-standard-2.",
        ),
    ] = False,
    gpus: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="GPUs; `all` for all.", rich_help_panel=_IN_CONTAINER),
    ] = None,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Such as 7.5g.", rich_help_panel=_IN_CONTAINER)
    ] = None,
    cpus: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="Cores.", rich_help_panel=_IN_CONTAINER)
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(metavar="none", help="It reaches nothing outside.", rich_help_panel=_IN_CONTAINER),
    ] = None,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", help="Only /tmp can be written.", rich_help_panel=_IN_CONTAINER),
    ] = False,
    user: Annotated[
        str | None, typer.Option(metavar="UID:GID", help="Such as 54321:0.", rich_help_panel=_IN_CONTAINER)
    ] = None,
    ready_timeout: ReadyTimeout = 600.0,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="Write an HTML page, with a short load run (needs the extra `report`).",
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML, which CI systems show.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prove that an archive serves.

    Serves it as the images do, asks the instances and checks the answers; the libraries are compared with the
    image's. The server gets Vertex AI's variables and --env, none of this shell's. Exit code 1: it did not
    serve right; 2: bad input. Next: `vertex-torchserve upload MODEL.mar`, with the same --env, routes, --port
    and --container-spec.

    Examples:

        vertex-torchserve smoke-test build/model.mar --instances instances.json --report report.html

        vertex-torchserve smoke-test build/model.mar --image torchserve-cpu:dev --like-vertex

        vertex-torchserve smoke-test build/model.mar --with-lock images/torchserve-cpu/requirements.lock
    """
    from vertex_torchserve.archive_check.image_modules.named import inventory_named
    from vertex_torchserve.errors import Problem, told_together
    from vertex_torchserve.serving.archive.golden_request import require_model
    from vertex_torchserve.serving.archive.request_file import read_request_file
    from vertex_torchserve.serving_plan import ContainerLimits
    from vertex_torchserve.smoke_test.locked_environment.environment import locked_python
    from vertex_torchserve.smoke_test.locked_environment.lock import serving_lock
    from vertex_torchserve.smoke_test.rendering.report_files import require_writable, write_files
    from vertex_torchserve.smoke_test.rendering.terminal import for_terminal
    from vertex_torchserve.smoke_test.run import run_smoke_test

    problems = [
        Problem(f"--{name} {value} with --image {image}: the image itself serves", "give one of them")
        for name, value in (("inventory", inventory), ("with-lock", with_lock))
        if image and value
    ]
    with told_together(problems):
        require_writable(report, junit)
    with told_together(problems):
        wanted = read_request_file(instances) if instances else None
    named: Inventory = "listed"
    with told_together(problems):
        named = "none" if inventory == "none" else inventory_named(inventory) if inventory else "listed"
    lock = None
    with told_together(problems):
        lock = serving_lock(with_lock) if with_lock else None
    limits = ContainerLimits(gpus, memory, cpus, network, read_only, user)
    plan = plan_of(
        mar, image, env, env_file,
        predict_route=predict_route,
        health_route=health_route,
        port=port,
        container_spec=container_spec,
        limits=limits.like_vertex() if like_vertex and image else limits,
        problems=problems,
    )  # fmt: skip
    if wanted:
        require_model(wanted, plan.model_name, str(instances))
    python = None
    if lock:
        with messages.status(f"making the environment of {with_lock}, once"):
            python = locked_python(lock)
        made = f"made in {python.made_seconds:g} s" if python.made_seconds else "was there"
        messages.print(f"environment of {with_lock}: {python.folder} ({made})", markup=False)
    with messages.status(f"serving {mar}"):
        found = run_smoke_test(
            plan,
            wanted.requests if wanted else None,
            in_container=bool(image),
            python=python,
            inventory=named,
            like_vertex=like_vertex,
            ready_timeout_seconds=ready_timeout,
            with_load=report is not None,
        )
    write_files(found, report, junit)
    if as_json:
        print_json(found.as_json())
    else:
        output.print(*for_terminal(found), sep="\n")
    if not found.ok:
        raise typer.Exit(1)
