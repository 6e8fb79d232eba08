"""`vertex-torchserve serve`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from vertex_torchserve.cli.console import messages, output
from vertex_torchserve.cli.serving_options import Image, ReadyTimeout, VariableFiles, Variables, plan_of

if TYPE_CHECKING:
    from vertex_torchserve.errors import VertexTorchServeError
    from vertex_torchserve.local_service.example import ServedModel
    from vertex_torchserve.local_service.playground import Playground


def serve(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A .mar, or a model folder, which is packaged first.")
    ],
    handler: Annotated[
        str | None,
        typer.Option(
            help="Of a folder, as for `package`; handler.py in it or `huggingface` if not given.",
            show_default=False,
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a folder, as `package --task` takes it.")
    ] = None,
    image: Image = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of 127.0.0.1.")] = 8080,
    reload: Annotated[
        bool, typer.Option("--reload", help="Serve it anew when the model's or the handler's files change.")
    ] = False,
    playground: Annotated[
        bool, typer.Option("--playground", help="Add a page to try the model on, on loopback.")
    ] = False,
    env: Variables = None,
    env_file: VariableFiles = None,
    ready_timeout: ReadyTimeout = 600.0,
) -> None:
    """Serve a model here, until Ctrl-C.

    Starts TorchServe as the serving images do, or a container of --image, and prints the route and a curl
    line with an instance that the model answers. With --reload a change is packaged and served anew; what is
    wrong with it is printed, and the next change is waited for.
    Next: `vertex-torchserve smoke-test MODEL.mar`.

    Examples:

        vertex-torchserve serve build/model.mar

        vertex-torchserve serve ./model --handler handler.py --reload --playground
    """
    from vertex_torchserve.local_service.serving import LocalService
    from vertex_torchserve.local_service.serving import serve as serve_here
    from vertex_torchserve.local_service.source import Source

    def on_ready(served: "ServedModel") -> None:
        status.stop()
        output.print(f"[green]serving[/green] {escape(served.name)} at {served.url}")
        output.print(f"  {served.curl()}", markup=False)
        if page is not None:
            page.show(served)
            output.print(f"  playground: {page.url}", markup=False)

    def on_change() -> None:
        messages.print("changed: serving it anew", markup=False)
        status.start()

    def on_failure(error: "VertexTorchServeError") -> None:
        status.stop()
        messages.print(f"[red]not served:[/red] {escape(str(error))}")

    service = LocalService(
        Source(model, handler, task),
        lambda mar: plan_of(mar, image, env, env_file),
        port=port,
        in_container=bool(image),
        ready_seconds=ready_timeout,
        reload=reload,
    )
    status = messages.status(f"serving {escape(str(model))}")
    with ExitStack() as ends:
        page = ends.enter_context(_playground()) if playground else None
        ends.enter_context(status)
        serve_here(service, on_ready, on_change, on_failure)


def _playground() -> "Playground":
    from vertex_torchserve.local_service.playground import Playground

    return Playground()
