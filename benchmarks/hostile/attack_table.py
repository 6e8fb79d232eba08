"""The table of attacks in docs/security.md: what the server does, which test holds it, what was measured.

    python -m benchmarks.hostile.attack_table

writes it into the document again, between two comments.
"""

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.contenders import ROOT
from benchmarks.published import published, table

from .attacks import GROUPS
from .defences import DEFENCES

DOCUMENT = ROOT / "docs" / "security.md"
BLOCK = re.compile(r"(?<=<!-- attacks -->\n).*(?=<!-- end of attacks -->)", re.DOTALL)
COLUMNS = ("attack", "a client", "the server", "test", "`/ping`", "a neighbour", "stock `/ping`", "neighbour")


def tables() -> str:
    """A table for each group; times are the slowest while eight clients attack."""
    measured = _measured()
    parts = []
    for group, attacks in GROUPS.items():
        rows = [
            (
                f"`{attack.name}`",
                attack.sends,
                DEFENCES[attack.name].does,
                _linked(DEFENCES[attack.name].test),
                *(
                    _shown(measured.get((contender, attack.name)), who)
                    for contender in ("ours", "stock")
                    for who in ("ping", "neighbour")
                ),
            )
            for attack in attacks
        ]
        parts.append(f"### {group}\n\n{table(COLUMNS, rows)}\n")
    return "\n" + "\n".join(parts) + "\n"


def written(document: str) -> str:
    """The document with the tables as they are now."""
    return BLOCK.sub(lambda _: tables(), document)


def _measured() -> dict[tuple[str, str], dict[str, Any]]:
    """The newest trials with the most clients, by contender and attack; empty when nothing is published."""
    reports = published("hostile_requests")
    if not reports:
        return {}
    trials = reports[0]["results"]
    most = max(trial["copies"] for trial in trials)
    return {(trial["contender"], trial["attack"]): trial for trial in trials if trial["copies"] == most}


def _linked(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[`{name}`](../{file})"


def _shown(trial: Mapping[str, Any] | None, who: str) -> str:
    if trial is None:
        return "not measured"
    if trial[who]["failed"]:
        return f"{trial[who]['failed']} of {trial[who]['asked']} failed"
    return f"{trial[who]['slowest_seconds'] * 1000:.0f} ms"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
