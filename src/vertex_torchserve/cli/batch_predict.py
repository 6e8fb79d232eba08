"""`vertex-torchserve batch-predict`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vertex_torchserve.cli.console import AsJson, messages, output, print_json, quiet_google_sdk
from vertex_torchserve.cli.steps import steps
from vertex_torchserve.cli.vertex_options import (
    MACHINE_TYPE,
    Accelerator,
    AcceleratorCount,
    Location,
    MachineType,
    ModelVersion,
    Project,
    ServiceAccount,
    machines_of,
    parameters_of,
)
from vertex_torchserve.errors import InputError, Problem

if TYPE_CHECKING:
    from vertex_torchserve.vertex_ai import BatchResult

_SHOWN_FAILURES = 5
_SHOWN_CHARACTERS = 120


def batch_predict(
    project: Project,
    location: Location,
    model: ModelVersion = None,
    source: Annotated[
        str | None,
        typer.Argument(metavar="INPUT", help="JSON or JSONL, as `predict --instances`; or gs://...jsonl."),
    ] = None,
    output_folder: Annotated[
        str | None, typer.Argument(metavar="gs://BUCKET/OUTPUT", help="Folder for input and results.")
    ] = None,
    parameters: Annotated[
        str | None, typer.Option(metavar="JSON", help="Parameters for all instances, as a JSON object.")
    ] = None,
    machine_type: MachineType = MACHINE_TYPE,
    accelerator: Accelerator = None,
    accelerator_count: AcceleratorCount = None,
    replicas: Annotated[int, typer.Option(help="Machines; a job isn't scaled.")] = 1,
    batch_size: Annotated[
        int | None, typer.Option(help="Instances of a request; Vertex AI takes 64.", show_default=False)
    ] = None,
    service_account: ServiceAccount = None,
    follow: Annotated[
        str | None, typer.Option(metavar="JOB", help="Follow a job that was started before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model version in a batch prediction job, and say what failed.

    Writes a local INPUT into the output folder, starts the job and follows it to its end. Exit code 0 when
    every instance was answered, 1 when one was not. Ctrl-C stops following: the job goes on.
    Next: read prediction.results-* in the folder that is printed.

    Examples:

        vertex-torchserve batch-predict bert instances.jsonl gs://my-bucket/batch
        --project my-project --location europe-west2

        vertex-torchserve batch-predict --follow 1234567890
    """
    from vertex_torchserve import vertex_ai

    quiet_google_sdk()
    job = follow
    if job is None:
        if model is None or source is None or output_folder is None:
            raise InputError(
                Problem(
                    "MODEL, INPUT and gs://BUCKET/OUTPUT are needed",
                    "write `vertex-torchserve batch-predict MODEL instances.jsonl gs://BUCKET/OUTPUT`",
                )
            )
        machines = machines_of(machine_type, accelerator, accelerator_count, replicas=(replicas, None))
        given = parameters_of(parameters)
        local = None if source.startswith("gs://") else _local_instances(Path(source), given)
        wanted = vertex_ai.BatchJob(
            project=project,
            location=location,
            model=model,
            source=source if local is None else "",
            destination=output_folder,
            instances=local,
            parameters=given,
            batch_size=batch_size,
            machines=machines,
            service_account=service_account,
        )
        with messages.status("starting the job"):
            job = vertex_ai.start_batch_job(wanted)
        messages.print(f"job {job}", markup=False)
    try:
        with steps() as on_step:
            result = vertex_ai.follow_batch_job(project, location, job, lambda state: on_step(state.lower()))
    except (KeyboardInterrupt, SystemExit):
        place = f"--project {project} --location {location}"
        messages.print(
            f"stopped following; the job goes on: vertex-torchserve batch-predict --follow {job} {place}",
            markup=False,
        )
        raise
    if as_json:
        print_json(asdict(result))
    else:
        _print(result)
    if result.failed:
        raise typer.Exit(1)


def _local_instances(file: Path, parameters: dict[str, Any] | None) -> list[Any]:
    from vertex_torchserve.serving.archive.request_file import read_request_file

    requests = read_request_file(file).requests
    if any(request.parameters not in (None, parameters) for request in requests):
        raise InputError(
            Problem(
                f"{file} holds parameters, which a job has for all instances", "give them with --parameters"
            )
        )
    return [instance for request in requests for instance in request.instances]


def _print(result: "BatchResult") -> None:
    colour = "red" if result.failed else "green"
    output.print(f"[{colour}]{result.predicted} predicted, {result.failed} failed[/{colour}]", end=" ")
    output.print(f"in {result.output_folder}", markup=False)
    for each in result.failures[:_SHOWN_FAILURES]:
        instance = json.dumps(each.get("instance"))[:_SHOWN_CHARACTERS]
        error = each.get("error")
        said = error.get("message", "") if isinstance(error, dict) else str(error)
        output.print(f"  {instance}: {said}", markup=False)
    if result.failed > _SHOWN_FAILURES:
        output.print(f"  and {result.failed - _SHOWN_FAILURES} more in errors_* there", markup=False)
