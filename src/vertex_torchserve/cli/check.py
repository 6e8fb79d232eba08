"""`vertex-torchserve check`."""

from typing import Annotated

import typer

from vertex_torchserve.cli.console import messages, output, print_json

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}


def check(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="A .mar, a .tar.gz, an unpacked archive or a model folder; gs:// for each."
        ),
    ],
    image: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="The image that is to serve it, asked by Docker; `cpu` (as when not given) and `gpu` are "
            "our own, and FILE.json is the inventory of any, without Docker.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say what is wrong with an archive, before anything starts.

    Reads the archive's directory and the members that matter; runs nothing of it and unpacks nothing. Each
    finding is an error (it won't serve), a warning (it will surprise) or a note, with the member and the
    line, and what to do. Exit code 0 without errors, 1 with one, 2 when PATH can't be read or there is no
    such image. docs/checks.md has every rule. Next: `vertex-torchserve smoke-test MODEL.mar`.

    Examples:

        vertex-torchserve check build/model.mar

        vertex-torchserve check gs://my-bucket/models/bert.mar --json

        vertex-torchserve check build/model.mar --image torchserve-cpu:vision
    """
    from vertex_torchserve.archive_check.check import check_for_image

    with messages.status(f"reading {path}"):
        report = check_for_image(path, image or "cpu")
    if as_json:
        print_json(report.as_json())
    else:
        for finding in report.findings:
            colour = _COLOURS[finding.severity.value]
            output.print(f"[{colour}]{finding.severity.value}[/{colour}]", end=" ")
            output.print(f"{finding.where} ({finding.rule})\n  {finding.message}", markup=False)
            output.print(f"  fix: {finding.fix}", markup=False)
        if not report.findings:
            output.print("[green]nothing found[/green]", end=" ")
            output.print(f"in {path}", markup=False)
    if not report.ok:
        raise typer.Exit(1)
