"""`vertex-torchserve promote` and `rollback`: move an alias once the version answered as recorded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vertex_torchserve.cli.compared_answers import print_compared
from vertex_torchserve.cli.console import AsJson, messages, output, print_json, quiet_google_sdk, warn
from vertex_torchserve.cli.serving_options import ReadyTimeout

if TYPE_CHECKING:
    from vertex_torchserve.release.promotion import Move, Wish
    from vertex_torchserve.serving.archive.request_file import RequestFile

Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="Resource name, id or display name of the model.")
]
Alias = Annotated[str, typer.Option(help="The alias to move.")]
Project = Annotated[
    str | None,
    typer.Option(envvar="GOOGLE_CLOUD_PROJECT", help="Google Cloud project id; a resource name has it."),
]
Location = Annotated[
    str | None,
    typer.Option(envvar="GOOGLE_CLOUD_LOCATION", help="Vertex AI region; a resource name has it."),
]
Endpoint = Annotated[
    str | None,
    typer.Option(help="Where to ask the version; the endpoint where it is deployed when not given."),
]
GoldenRequest = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="What to ask, and the answers; the archive's own when not given."),
]
Image = Annotated[
    str | None,
    typer.Option(
        help="Serve a version that isn't deployed in a container of this image, not in this Python."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be asked and moved, and do neither.")]


def promote(
    model: Model,
    alias: Alias,
    version: Annotated[str, typer.Option(help="Id or alias of the version that gets it.")],
    project: Project = None,
    location: Location = None,
    endpoint: Endpoint = None,
    golden_request: GoldenRequest = None,
    image: Image = None,
    ready_timeout: ReadyTimeout = 600.0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give an alias to a version, once it answered its golden requests as recorded.

    A version that is deployed is asked through its endpoint. Of another the archive is fetched, compared with
    the digest it was registered with, and served here as it is registered. Exit code 1, and the alias stays,
    when an answer is not the recorded one. Next: `vertex-torchserve rollback MODEL`, if it was a mistake.

    Example:

        vertex-torchserve promote my-model --alias prod --version 4 --project my-project
        --location europe-west2
    """
    from vertex_torchserve.release.promotion import Wish

    wish = Wish(model, alias, version, project, location, endpoint, _golden(golden_request))
    _move(wish, image=image, ready_timeout=ready_timeout, dry_run=dry_run, as_json=as_json)


def rollback(
    model: Model,
    alias: Alias,
    project: Project = None,
    location: Location = None,
    endpoint: Endpoint = None,
    golden_request: GoldenRequest = None,
    image: Image = None,
    ready_timeout: ReadyTimeout = 600.0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give an alias back to the version that had it before.

    Which one that is stands in a label of the version that has it, since `promote` gave it the alias. The
    earlier version is asked its golden requests first, as `promote` does. Again: one version further back.
    Next: `vertex-torchserve models aliases MODEL`.

    Example:

        vertex-torchserve rollback my-model --alias prod --project my-project --location europe-west2
    """
    from vertex_torchserve.release.promotion import Wish

    wish = Wish(model, alias, None, project, location, endpoint, _golden(golden_request))
    _move(wish, image=image, ready_timeout=ready_timeout, dry_run=dry_run, as_json=as_json)


def _golden(file: Path | None) -> "RequestFile | None":
    from vertex_torchserve.serving.archive.request_file import read_request_file

    return read_request_file(file) if file else None


def _move(wish: "Wish", *, image: str | None, ready_timeout: float, dry_run: bool, as_json: bool) -> None:
    from vertex_torchserve.release.promotion import planned

    quiet_google_sdk()
    with messages.status(f"looking for {wish.model}"):
        move = planned(wish)
    told: dict[str, Any] = {
        "model_resource_name": move.target.model_resource_name,
        "display_name": move.target.display_name,
        "alias": move.alias,
        "version_id": move.target.version_id,
        "previous_version_id": move.holder,
        "already_there": move.is_done,
        "moved": False,
    }
    target = _named(move.target.version_id)
    what = f"{move.alias} of {move.target.display_name} from {_named(move.holder)} to {target}"
    if move.is_done or dry_run:
        if as_json:
            print_json({**told, "asked_at": _where(move, image), "requests": _count(move)})
        elif move.is_done:
            output.print(f"{target} has {move.alias} already", markup=False)
        else:
            requests = f"{_count(move)} golden request{'s' if _count(move) != 1 else ''}"
            output.print(f"moves {what}, once {_where(move, image)} answers {requests} right", markup=False)
        return
    with messages.status(f"asking {target} at {_where(move, image)}"):
        proof = move.prove(image=image, ready_timeout_seconds=ready_timeout)
    for part in proof.not_proved:
        warn(f"{proof.asked_at} answered: that does not prove {part}")
    if not proof.changed:
        move.carry_out()
    if as_json:
        print_json(
            {
                **told,
                "moved": not proof.changed,
                "asked_at": proof.asked_at,
                "not_proved": list(proof.not_proved),
                "changed": proof.changed,
                "compared": len(proof.compared),
                "instances": [each.as_json() for each in proof.compared],
            }
        )
    else:
        print_compared(proof.compared, ("recorded", "got"))
        verdict = "[red]not moved[/red]" if proof.changed else "[green]moved[/green]"
        output.print(verdict, end=" ")
        output.print(f"{what}, asked at {proof.asked_at}", markup=False)
    if proof.changed:
        raise typer.Exit(1)


def _named(version: str | None) -> str:
    return f"version {version}" if version else "no version"


def _where(move: "Move", image: str | None) -> str:
    return move.deployed.endpoint if move.deployed else image or "this Python"


def _count(move: "Move") -> int:
    return len(move.golden.requests) if move.golden else 0
