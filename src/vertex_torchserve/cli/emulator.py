"""`vertex-torchserve emulator`: a local Vertex AI and Cloud Storage until Ctrl-C."""

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer


def emulator(
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps models, endpoints, jobs and buckets over a restart."),
    ] = None,
    storage_port: Annotated[
        int, typer.Option(help="Port of the Cloud Storage emulator; 0 takes a free one.")
    ] = 0,
    vertex_port: Annotated[int, typer.Option(help="Port of the Vertex AI emulator; 0 takes a free one.")] = 0,
    bucket: Annotated[
        list[str] | None, typer.Option(help="Create this bucket when it isn't there; may be repeated.")
    ] = None,
    containers: Annotated[
        bool,
        typer.Option(help="Run each model's own image with the Docker engine of this machine."),
    ] = False,
    google_hosts: Annotated[
        bool,
        typer.Option(help="Answer Google's own host names too; prints three more variables for one program."),
    ] = False,
) -> None:
    """Run a local Vertex AI and Cloud Storage until Ctrl-C.

    Prints the `export` lines with which clients find it; everything else goes to standard error.
    Deploying a model starts a real TorchServe, or with --containers the registered image. Without --data-dir
    everything is removed at the end.

    Example: vertex-torchserve emulator --data-dir .emulator --bucket my-bucket
    """
    from vertex_torchserve.emulator import Emulator

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Emulator.start(
        data_dir,
        storage_port,
        vertex_port,
        buckets=bucket or (),
        containers=containers,
        google_hosts=google_hosts,
    ) as running:
        for name, value in running.environment().items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.flush()
        sys.stderr.write("The emulator is running; Ctrl-C stops it.\n")
        ended.wait()
        sys.stderr.write("Stopping.\n")
