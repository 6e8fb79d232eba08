"""`vertex-torchserve smoke-test`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

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
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prove that an archive serves.

    Starts TorchServe on loopback as the serving images do, or a container of --image, waits until the model
    is ready, sends the instances, and checks status, JSON and the number of predictions; of a golden request
    the predictions too. Exit code 0 when it served right, 1 when not. Nothing is left running. Next:
    `vertex-torchserve upload MODEL.mar`.

    Examples:

        vertex-torchserve smoke-test build/model.mar --instances instances.json

        vertex-torchserve smoke-test build/model.mar --image torchserve-cpu:dev
    """
    from vertex_torchserve.smoke_test.instances import read_instances
    from vertex_torchserve.smoke_test.run import run_smoke_test

    wanted = read_instances(instances) if instances else None
    with messages.status(f"serving {mar}"):
        report = run_smoke_test(mar, wanted, image=image, ready_timeout_seconds=ready_timeout)
    if as_json:
        print_json(report.as_json())
    else:
        table = Table("check", "result", "what was seen")
        for check in report.checks:
            table.add_row(check.name, "[green]ok[/green]" if check.ok else "[red]failed[/red]", check.detail)
        output.print(table)
    if not report.ok:
        raise typer.Exit(1)
