"""`vertex-torchserve conformance`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from vertex_torchserve.cli.console import messages, output, print_json
from vertex_torchserve.cli.serving_options import Port, ReadyTimeout, VariableFiles, Variables

_COLOURS = {"passed": "green", "failed": "red", "not run": "yellow"}


def conformance(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The image, as the engine knows it.")],
    artifact: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL.mar|FOLDER",
            help="What it serves, in the folder that AIP_STORAGE_URI names; what is in it when not given.",
        ),
    ] = None,
    instances: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A request that the model can answer, as smoke-test takes it; when not "
            "given, the golden request of the artifact, else two short texts.",
        ),
    ] = None,
    env: Variables = None,
    env_file: VariableFiles = None,
    port: Port = None,
    health_route: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Its model's health route; Vertex AI's own when not given."),
    ] = None,
    predict_route: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Its model's predict route; Vertex AI's own when not given."),
    ] = None,
    ready_timeout: ReadyTimeout = 600.0,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write the report as a HTML page (needs the extra `report`)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Say whether a serving image keeps Vertex AI's contract.

    Starts containers of any image, ours or not, as Vertex AI does, and tries them: port and routes,
    readiness, requests of every form and size, load, SIGTERM, other users, a read-only root, no network.
    Each check says what was seen and where the contract stands. Exit code 0 when the contract is kept, 1 when
    a check failed of what an image must do, 2 when there is no engine or no such image. docs/conformance.md
    has every check. Nothing is left running. Next: `vertex-torchserve smoke-test MODEL.mar --image IMAGE`.

    Examples:

        vertex-torchserve conformance torchserve-cpu:dev

        vertex-torchserve conformance my-server:1 --instances request.json --env THRESHOLD=0.5 --json

        vertex-torchserve conformance my-server:1 --health-route /ping --predict-route /predict
    """
    from vertex_torchserve.conformance.html_page import html_page
    from vertex_torchserve.conformance.image import ImageToCheck, check_image
    from vertex_torchserve.errors import Problem, told_together
    from vertex_torchserve.serving.archive.request_file import read_request_file
    from vertex_torchserve.serving_plan import ContainerSpec
    from vertex_torchserve.serving_plan.variables_given import variables_given
    from vertex_torchserve.smoke_test.rendering.report_files import require_writable
    from vertex_torchserve.unfinished import written_beside

    problems: list[Problem] = []
    with told_together(problems):
        require_writable(report, None)
    request = None
    with told_together(problems):
        request = read_request_file(instances).requests[0] if instances else None
    environment: dict[str, str] = {}
    with told_together(problems):
        environment = variables_given(env or (), env_file or ())
    container = ContainerSpec(
        image,
        predict_route=predict_route,
        health_route=health_route,
        ports=() if port is None else (port,),
        environment=environment,
    )
    with messages.status(f"checking {image}") as status:
        found = check_image(
            ImageToCheck(container, artifact, request),
            ready_seconds=ready_timeout,
            problems=problems,
            progress=lambda check: status.update(f"checking {image}: {check.name}"),
        )
    if report:
        with written_beside(report) as part:
            part.write_text(html_page(found), encoding="utf-8")
    if as_json:
        print_json(found.as_json())
    else:
        table = Table("check", "", "result", "what was seen")
        for each in found.verdicts:
            result = Text(each.result.value, _COLOURS[each.result.value])
            table.add_row(each.check, each.severity.value, result, Text(each.evidence))
        output.print(table)
        for each in found.failed:
            output.print(f"{each.check}: {each.fix}\n  {each.source}", markup=False)
        output.print(found.summary(), markup=False)
    if not found.ok:
        raise typer.Exit(1)
