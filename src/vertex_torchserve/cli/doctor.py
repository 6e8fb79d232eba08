"""`vertex-torchserve doctor`."""

from typing import Annotated

import typer

from vertex_torchserve.cli.console import messages, output, print_json

_COLOURS = {"ok": "green", "warning": "yellow", "missing": "red"}


def doctor(
    need: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECK",
            help="What must be there: python, java, docker, gpu, google, network; may be repeated. "
            "python and java if not given.",
            show_default=False,
        ),
    ] = None,
    project: Annotated[
        str | None, typer.Option(envvar="GOOGLE_CLOUD_PROJECT", help="Google Cloud project id.")
    ] = None,
    location: Annotated[
        str | None, typer.Option(envvar="GOOGLE_CLOUD_LOCATION", help="Vertex AI region.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say what this machine has of what the toolkit needs.

    Looks at Python and its packages, Java, Docker, NVIDIA's driver against torch's CUDA, Google's
    credentials, project and region, and whether registries answer. Changes nothing. Exit code 1 when
    something that is needed is missing. Next: the fixes that it prints, or `vertex-torchserve demo`.

    Examples:

        vertex-torchserve doctor

        vertex-torchserve doctor --need docker --need google --project my-project --location europe-west2
    """
    from vertex_torchserve.doctor import examine

    needed = need or ["python", "java"]
    with messages.status("looking at this machine"):
        found, well = examine(project, location, needed)
    if as_json:
        print_json(
            {
                "ok": well,
                "needed": needed,
                "checks": {name: [each.as_json() for each in findings] for name, findings in found.items()},
            }
        )
    else:
        for name, findings in found.items():
            for each in findings:
                absent = each.state == "missing" and name not in needed
                colour = "yellow" if absent else _COLOURS[each.state]
                output.print(f"[{colour}]{each.state:<8}[/]", end=" ")
                output.print(f"{each.check}: {each.seen}", markup=False)
                if each.fix:
                    output.print(f"  fix: {each.fix}", markup=False)
        verdict = "[green]everything that is needed is there[/]" if well else "[red]something is missing[/]"
        output.print(f"{verdict} ({', '.join(needed)})")
    if not well:
        raise typer.Exit(1)
