"""`vertex-torchserve golden`: record what a model answers, ask it again, compare two models."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from vertex_torchserve.cli.compared_answers import print_compared
from vertex_torchserve.cli.console import AsJson, messages, output, print_json
from vertex_torchserve.cli.serving_options import Image, ReadyTimeout, VariableFiles, Variables, plan_of

if TYPE_CHECKING:
    from vertex_torchserve.errors import Problem
    from vertex_torchserve.golden.compare import InstanceCompared
    from vertex_torchserve.golden.model_asked import ModelAsked
    from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
    from vertex_torchserve.serving.archive.request_file import RequestFile
    from vertex_torchserve.serving_plan import ServingPlan

golden = typer.Typer(
    no_args_is_help=True,
    help="Requests whose answers are known: record what a model answers, ask it again, compare two models.",
)
Requests = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Requests, as smoke-test reads them; the archive's own when not given."
    ),
]


@golden.command()
def record(
    mar: Annotated[Path, typer.Argument(metavar="MODEL.mar", help="The archive to ask.")],
    instances: Annotated[
        Path, typer.Option(metavar="FILE", help="Requests, as `smoke-test --instances` reads them.")
    ],
    output_file: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="Written with the answers.")
    ] = Path("golden-request.json"),
    tolerance: Annotated[
        float | None, typer.Option(min=0.0, help="Written in place of the measured tolerance.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace a file of that name.")] = False,
    image: Image = None,
    env: Variables = None,
    env_file: VariableFiles = None,
    ready_timeout: ReadyTimeout = 600.0,
    as_json: AsJson = False,
) -> None:
    """Record what a model answers.

    Serves the archive and asks each request three times, and in batches of another size: the instances one
    by one, or a single one four times at once. Writes the answers with a tolerance of ten times the largest
    distance seen, at least 1e-5. Record on the kind of machine that will serve. Next:
    `vertex-torchserve package MODEL --golden-request golden-request.json`.

    Example:

        vertex-torchserve golden record build/model.mar --instances instances.json
    """
    from vertex_torchserve.errors import Problem, told_together
    from vertex_torchserve.golden.record import record as record_answers
    from vertex_torchserve.handler_interface.requirement import require_answerable
    from vertex_torchserve.serving.archive.request_file import (
        RequestFile,
        read_request_file,
        request_file_text,
    )
    from vertex_torchserve.unfinished import written_beside

    problems: list[Problem] = []
    with told_together(problems):
        wanted = read_request_file(instances)
    if tolerance is not None and not math.isfinite(tolerance):
        problems.append(Problem(f"--tolerance {tolerance} is no number", "give a number of 0 or more"))
    if output_file.exists() and not force:
        problems.append(Problem(f"{output_file} exists already", "use --force to replace it"))
    if not output_file.absolute().parent.is_dir():
        problems.append(Problem(f"there is no folder for {output_file}", "make the folder first"))
    plan = plan_of(mar, image, env, env_file, problems=problems)
    require_answerable(mar, [each.bare() for each in wanted.requests], str(instances))
    with _asking(mar, plan, image, ready_timeout) as model:
        recorded = record_answers(model, wanted.requests, tolerance)
    content = RequestFile([each.request for each in recorded], plan.model_name)
    with written_beside(output_file) as part:
        part.write_text(request_file_text(content))
    if as_json:
        print_json(
            {
                "output": str(output_file),
                "model_name": plan.model_name,
                "sha256": plan.sha256,
                "requests": [
                    {
                        "instances": len(each.request.instances),
                        "tolerance": each.request.tolerance,
                        "repeats": each.repeats,
                        "batches": each.batches,
                    }
                    for each in recorded
                ],
            }
        )
        return
    table = Table("request", "instances", "apart when asked again", "in another batch", "tolerance")
    for number, each in enumerate(recorded, start=1):
        table.add_row(
            str(number),
            str(len(each.request.instances)),
            f"{each.repeats:.2g}",
            f"{each.batches:.2g}",
            f"{each.request.tolerance:g}",
        )
    output.print(table)
    output.print(f"[green]recorded[/green] {output_file}")


@golden.command()
def replay(
    mar: Annotated[Path, typer.Argument(metavar="MODEL.mar", help="The archive to ask.")],
    golden_request: Requests = None,
    image: Image = None,
    env: Variables = None,
    env_file: VariableFiles = None,
    ready_timeout: ReadyTimeout = 600.0,
    as_json: AsJson = False,
) -> None:
    """Ask a model for the answers that are recorded.

    Serves the archive and compares every answer with the one in its golden request, or in --golden-request.
    Exit code 0 when all are the same within the tolerance, 1 when one is not.
    Next: `vertex-torchserve upload MODEL.mar`.

    Examples:

        vertex-torchserve golden replay build/model.mar

        vertex-torchserve golden replay build/model.mar --golden-request golden-request.json
    """
    from vertex_torchserve.errors import Problem
    from vertex_torchserve.golden.compare import replay as compare_answers
    from vertex_torchserve.golden.compare import require_answers

    problems: list[Problem] = []
    given = _given(golden_request, problems)
    plan = plan_of(mar, image, env, env_file, problems=problems)
    requests = _requests(given, [plan])
    require_answers(requests)
    with _asking(mar, plan, image, ready_timeout) as model:
        compared = compare_answers(model, requests)
    _report({"mar_path": str(mar), "model_name": plan.model_name}, compared, as_json, ("expected", "got"))


@golden.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD.mar", help="The archive that is compared with.")],
    new: Annotated[Path, typer.Argument(metavar="NEW.mar", help="The archive that is compared.")],
    instances: Requests = None,
    image: Image = None,
    env: Variables = None,
    env_file: VariableFiles = None,
    ready_timeout: ReadyTimeout = 600.0,
    as_json: AsJson = False,
) -> None:
    """Show which answers of a model changed, and by how much.

    Serves both archives, one after the other, and asks both the same: --instances, or the golden requests of
    OLD.mar, or of NEW.mar where that has none. Exit code 0 when all answers are the same within the recorded
    tolerance (1e-5 where none is recorded), 1 when one changed. Next: `vertex-torchserve upload NEW.mar`.

    Example:

        vertex-torchserve golden diff build/old.mar build/new.mar
    """
    from vertex_torchserve.errors import Problem, raise_problems, told_together
    from vertex_torchserve.golden.compare import answers, compared, tolerance_of

    problems: list[Problem] = []
    given = _given(instances, problems)
    plans = []
    for mar in (old, new):
        with told_together(problems):
            plans.append(plan_of(mar, image, env, env_file))
    raise_problems(list(dict.fromkeys(problems)))  # the image and the variables are the same for both
    requests = _requests(given, plans)
    answered = []
    for plan in plans:
        with _asking(plan.mar_path, plan, image, ready_timeout) as model:
            answered.append(answers(model, requests))
    result = [
        each
        for number, (request, before, after) in enumerate(zip(requests, *answered, strict=True), start=1)
        for each in compared(number, before, after, tolerance_of(request))
    ]
    _report({"old": str(old), "new": str(new)}, result, as_json, (old.name, new.name))


@contextlib.contextmanager
def _asking(
    mar: Path, plan: "ServingPlan", image: str | None, ready_timeout: float
) -> "Iterator[ModelAsked]":
    """Serve an archive while it is asked, and say so."""
    from vertex_torchserve.golden.model_asked import asked

    with (
        messages.status(f"asking {mar}"),
        asked(plan, in_container=bool(image), ready_timeout_seconds=ready_timeout) as model,
    ):
        yield model


def _given(file: Path | None, problems: "list[Problem]") -> "list[tuple[str, RequestFile]]":
    """A file of requests and its name, when one is given; what is wrong with it is added to `problems`."""
    from vertex_torchserve.errors import told_together
    from vertex_torchserve.serving.archive.request_file import read_request_file

    found = []
    with told_together(problems):
        found += [(str(file), read_request_file(file))] if file else []
    return found


def _requests(
    given: "list[tuple[str, RequestFile]]", plans: "Sequence[ServingPlan]"
) -> "Sequence[PredictionRequest]":
    """Those that are given, else the golden requests of the first archive that has some."""
    from vertex_torchserve.errors import InputError, Problem
    from vertex_torchserve.handler_interface.requirement import require_answerable
    from vertex_torchserve.serving.archive.golden_request import packed_golden_requests, require_model

    found = given
    if not given:
        packed = [(str(plan.mar_path), packed_golden_requests(plan.mar_path)) for plan in plans]
        found = [(name, content) for name, content in packed if content is not None]
    if not found:
        names = " and ".join(str(plan.mar_path) for plan in plans)
        raise InputError(
            Problem(
                f"{names} hold no golden-request.json, and no file of requests is given",
                "record one with `vertex-torchserve golden record`, and package the model with it",
            )
        )
    name, content = found[0]
    # Two models are compared with each other, and not with what is recorded.
    asked = [each.bare() for each in content.requests] if len(plans) > 1 else content.requests
    if len(plans) == 1:
        require_model(content, plans[0].model_name, name)
    for plan in plans:
        require_answerable(plan.mar_path, asked, name)
    return content.requests


def _report(
    about: dict[str, str], compared: "Sequence[InstanceCompared]", as_json: bool, sides: tuple[str, str]
) -> None:
    """Print what was compared, and exit with 1 when something changed."""
    changed = [each for each in compared if each.differences]
    if as_json:
        print_json(
            {
                **about,
                "changed": len(changed),
                "compared": len(compared),
                "instances": [each.as_json() for each in compared],
            }
        )
    else:
        print_compared(compared, sides)
    if changed:
        raise typer.Exit(1)
