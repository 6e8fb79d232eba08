"""`vertex-torchserve smoke-test`."""

from pathlib import Path
from typing import Annotated

import typer

from vertex_torchserve.cli.console import messages, output, print_json


def smoke_test(
    mar: Annotated[Path, typer.Argument(metavar="MODEL.mar", help="The archive to serve.")],
    instances: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A JSON list of instances, or a .jsonl with one a line; when not given, the golden request "
            "in the archive.",
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            help="Serve it in a container of this image; without Docker, in this Python, when not given."
        ),
    ] = None,
    ready_timeout: Annotated[float, typer.Option(help="Seconds the model may take to load.")] = 600.0,
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
    the predictions too. Exit code 0 when it served right, 1 when not. Nothing is left running. With
    --report the model is also asked by one to eight clients at once, some five seconds in all. Next:
    `vertex-torchserve upload MODEL.mar`.

    Examples:

        vertex-torchserve smoke-test build/model.mar --instances instances.json

        vertex-torchserve smoke-test build/model.mar --image torchserve-cpu:dev

        vertex-torchserve smoke-test build/model.mar --report report.html --junit junit.xml
    """
    from vertex_torchserve.smoke_test.instances import read_instances
    from vertex_torchserve.smoke_test.rendering.report_files import require_writable, write_files
    from vertex_torchserve.smoke_test.rendering.terminal import for_terminal
    from vertex_torchserve.smoke_test.run import run_smoke_test

    require_writable(report, junit)
    wanted = read_instances(instances) if instances else None
    with messages.status(f"serving {mar}"):
        found = run_smoke_test(
            mar, wanted, image=image, ready_timeout_seconds=ready_timeout, with_load=report is not None
        )
    write_files(found, report, junit)
    if as_json:
        print_json(found.as_json())
    else:
        output.print(*for_terminal(found), sep="\n")
    if not found.ok:
        raise typer.Exit(1)
