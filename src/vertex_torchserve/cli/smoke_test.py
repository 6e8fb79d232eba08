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


def smoke_test(
    mar: Annotated[Path, typer.Argument(metavar="MODEL.mar", help="The archive to serve.")],
    instances: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A JSON list of instances, a request with instances, parameters, predictions and tolerance, "
            "a list of requests, or a .jsonl of either; when not given, the golden requests in the archive.",
        ),
    ] = None,
    image: Image = None,
    inventory: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|IMAGE",
            help="What the image has that it will be registered with, to compare this Python with: its "
            "inventory.json, or an image, asked by Docker; `cpu` (as when not given) and `gpu` are our own, "
            "`none` compares nothing.",
        ),
    ] = None,
    with_lock: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Serve it in an environment of exactly these versions, made once in the user's cache: "
            "requirements with hashes, such as an image's own, or the inventory.json of an image.",
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
            help="Serve it as on Vertex AI: with the workers that fit the machine, and in a container of "
            "--image with 2 cores and 7.5 GiB (n1-standard-2), unless --cpus and --memory say otherwise.",
        ),
    ] = False,
    gpus: Annotated[str | None, typer.Option(help="`all`, or how many; takes --image.")] = None,
    memory: Annotated[str | None, typer.Option(help="Such as 7.5g; takes --image.")] = None,
    cpus: Annotated[float | None, typer.Option(help="Cores, such as 2; takes --image.")] = None,
    network: Annotated[
        str | None, typer.Option(help="`none`: it reaches nothing outside; takes --image.")
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only /tmp can be written; takes --image.")
    ] = False,
    user: Annotated[str | None, typer.Option(help="Such as 54321:0; takes --image.")] = None,
    ready_timeout: ReadyTimeout = 600.0,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="Write the report as one HTML page, with a short load run (needs the extra `report`).",
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report as JUnit XML, which CI systems show."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prove that an archive serves.

    Starts TorchServe on loopback as the serving images do, or a container of --image, waits until the model
    is ready, sends the instances, and checks status, JSON and the number of predictions; of a golden request
    the predictions too. Exit code 0 when it served right, 1 when not, 2 for bad input. Nothing is left
    running. The server gets the variables that Vertex AI sets, those of --env, and none of this shell's.
    Without --image the libraries of this Python are compared with those of the serving image, or of
    --inventory: one that the archive needs and the image lacks is a failure, other versions are told. With
    --report the model is also asked by one to eight clients at once, some five seconds in all. Next:
    `vertex-torchserve upload MODEL.mar` with the same --env, --predict-route, --health-route, --port and
    --container-spec.

    Examples:

        vertex-torchserve smoke-test build/model.mar --instances instances.json

        vertex-torchserve smoke-test build/model.mar --image torchserve-cpu:dev --like-vertex

        vertex-torchserve smoke-test build/model.mar --inventory torchserve-cpu:vision

        vertex-torchserve smoke-test build/model.mar --with-lock images/torchserve-cpu/requirements.lock

        vertex-torchserve smoke-test build/model.mar --report report.html --junit junit.xml
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
