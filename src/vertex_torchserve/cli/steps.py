"""Progress of long work on standard error: what is done now, and for how long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vertex_torchserve.cli.console import messages


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Gives what is called with each step as it begins; the last one is done when the block is left well."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=messages) as progress:
        running = None

        def on_step(what: str) -> None:
            nonlocal running
            if running is not None:
                progress.update(running, completed=1)
            running = progress.add_task(what, total=1)

        yield on_step
        if running is not None:
            progress.update(running, completed=1)
