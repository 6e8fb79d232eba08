"""`vertex-torchserve deploy` and `undeploy`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

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
)
from vertex_torchserve.errors import InputError, Problem

if TYPE_CHECKING:
    from vertex_torchserve.vertex_ai import DeploymentPlan


def deploy(
    project: Project,
    location: Location,
    model: ModelVersion = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Name or id of one that is there; the model's namesake if not given.")
    ] = None,
    traffic: Annotated[int, typer.Option(metavar="PERCENT", help="Share of the endpoint's traffic.")] = 100,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Take away what was deployed to --endpoint last.")
    ] = False,
    machine_type: MachineType = MACHINE_TYPE,
    accelerator: Accelerator = None,
    accelerator_count: AcceleratorCount = None,
    min_replicas: Annotated[int, typer.Option(help="Replicas that always run.")] = 1,
    max_replicas: Annotated[
        int | None, typer.Option(help="At most; --min-replicas if not given.", show_default=False)
    ] = None,
    autoscale: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=N", help="cpu, gpu (percent), requests (a minute).")
    ] = None,
    spot: Annotated[bool, typer.Option("--spot", help="Spot VMs: cheaper, may be taken away.")] = False,
    service_account: ServiceAccount = None,
    dedicated_endpoint: Annotated[
        bool, typer.Option("--dedicated-endpoint", help="A new endpoint: 10 MB, 10 minutes, streams.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what will happen; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Deploy a model version to an endpoint.

    Says what it takes, starts the model, asks it the archive's golden requests through the endpoint (with 5 %
    of the traffic where others have the rest), and only then moves the traffic. A wrong answer undoes it all.
    Next: `vertex-torchserve predict ENDPOINT --text TEXT`.

    Examples:

        vertex-torchserve deploy bert --project my-project --location europe-west2

        vertex-torchserve deploy bert@4 --traffic 10 --accelerator NVIDIA_L4 --machine-type g2-standard-8

        vertex-torchserve deploy --rollback --endpoint bert
    """
    from vertex_torchserve import vertex_ai

    quiet_google_sdk()
    if rollback:
        _rollback(project, location, model, endpoint, as_json=as_json)
        return
    if model is None:
        raise InputError(Problem("no MODEL is given", "list models with `vertex-torchserve models list`"))
    wanted = vertex_ai.Deployment(
        project=project,
        location=location,
        model=model,
        endpoint=endpoint,
        traffic=traffic,
        machines=machines_of(
            machine_type, accelerator, accelerator_count,
            replicas=(min_replicas, max_replicas),
            spot=spot,
            autoscale=autoscale or (),
        ),
        service_account=service_account,
        dedicated_endpoint=dedicated_endpoint,
    )  # fmt: skip
    with messages.status(f"looking for {escape(model)}"):
        plan = vertex_ai.plan_deployment(wanted)
    if dry_run and as_json:
        print_json(plan.as_json())
        return
    for what, value in plan.in_words():
        (output if dry_run else messages).print(f"{what:<17}{value}", markup=False)
    if dry_run:
        return
    try:
        with steps() as on_step:
            done = vertex_ai.deploy(plan, on_step)
    except (KeyboardInterrupt, SystemExit):
        messages.print(_interrupted(plan), markup=False)
        raise
    endpoint_id = done.endpoint.rpartition("/")[2]
    log = vertex_ai.log_url(project, endpoint_id)
    if as_json:
        print_json({**plan.as_json(), **asdict(done), "log_url": log})
        return
    output.print(f"[green]deployed[/green] {escape(plan.model)} to {done.endpoint}")
    shares = [f"{part} % to version {each}" for each, part in plan.shares(plan.intended_split).items()]
    output.print(f"  traffic: {', '.join(shares)}", markup=False)
    output.print(f"  golden requests answered as expected: {done.golden_requests}", markup=False)
    output.print(f"  log: {log}", markup=False)
    output.print(f"  next: vertex-torchserve predict {endpoint_id} --text TEXT", markup=False)


def _rollback(project: str, location: str, model: str | None, endpoint: str | None, *, as_json: bool) -> None:
    from vertex_torchserve import vertex_ai

    if endpoint is None or model is not None:
        raise InputError(
            Problem(
                "--rollback takes --endpoint and no MODEL: it takes away what was deployed there last",
                "write `vertex-torchserve deploy --rollback --endpoint ENDPOINT`",
            )
        )
    with steps() as on_step:
        done = vertex_ai.rollback(project, location, endpoint, on_step)
    if as_json:
        print_json(asdict(done))
        return
    output.print(f"[green]rolled back[/green] {done.endpoint}")
    shares = [f"{part} % to deployed model {name}" for name, part in done.traffic.items()]
    output.print(f"  traffic: {', '.join(shares)}", markup=False)


def _interrupted(plan: "DeploymentPlan") -> str:
    """What goes on without this command, and how to go on with it or to end it."""
    deployment = plan.deployment
    place = f"--project {deployment.project} --location {deployment.location}"
    endpoint = plan.endpoint or f"'{plan.endpoint_display_name}'"
    version = plan.model.rpartition("@")[2]
    return (
        "stopped watching: Vertex AI goes on with what was begun. The same command goes on where it is; "
        f"`vertex-torchserve undeploy {endpoint} --version {version} {place}` undoes it."
    )


def undeploy(
    project: Project,
    location: Location,
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="Name, id or resource name.")],
    version: Annotated[
        str | None, typer.Option(help="Version of the model, or id of the deployed model, to take down.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Take every model down, and delete the endpoint.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a model down from an endpoint, or all of them with the endpoint.

    The others keep the proportions of their traffic. What is down costs nothing any more; the model stays in
    the Model Registry. Next: `vertex-torchserve deploy MODEL`, to serve it again.

    Examples:

        vertex-torchserve undeploy bert --version 3 --project my-project --location europe-west2

        vertex-torchserve undeploy bert --all
    """
    from vertex_torchserve import vertex_ai

    quiet_google_sdk()
    if (version is None) != everything:
        raise InputError(
            Problem(
                "what is to be taken down is not said, or said twice",
                "give --version VERSION for one model, or --all for every model and the endpoint",
            )
        )
    with steps() as on_step:
        name, gone = vertex_ai.undeploy(
            project, location, endpoint, version, delete_endpoint=everything, on_step=on_step
        )
    if as_json:
        print_json({"endpoint": name, "undeployed": gone, "endpoint_deleted": everything})
        return
    output.print(f"[green]undeployed[/green] {len(gone)} from {name}")
    if everything:
        output.print("  the endpoint is deleted", markup=False)
