"""The table of answers that were compared, as `golden`, `promote` and `upload` print it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from vertex_torchserve.cli.console import output

if TYPE_CHECKING:
    from vertex_torchserve.golden.compare import InstanceCompared

_SHOWN_DIFFERENCES = 3


def print_compared(compared: "Sequence[InstanceCompared]", sides: tuple[str, str]) -> None:
    """Print each instance, how far its two answers are apart, and how many changed.

    Args:
        compared: Every instance.
        sides: What the two answers are called.
    """
    table = Table("request", "instance", "furthest apart", "tolerance", escape(f"{sides[0]} -> {sides[1]}"))
    for each in compared:
        said = [escape(difference.said) for difference in each.differences[:_SHOWN_DIFFERENCES]]
        more = len(each.differences) - len(said)
        table.add_row(
            str(each.request),
            str(each.instance),
            f"{each.furthest:.2g}",
            f"{each.tolerance:g}",
            "\n".join([*said, *([f"and {more} more"] if more > 0 else [])]) or "[green]the same[/green]",
        )
    output.print(table)
    changed = sum(bool(each.differences) for each in compared)
    verdict = "[red]changed[/red]" if changed else "[green]the same[/green]"
    output.print(f"{verdict}: {changed} of {len(compared)} answers changed")
