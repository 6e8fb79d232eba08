"""What the trials found: what was not reached, and the tables."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.published import table

from .attacks import ATTACKS, GROUPS, NOTHING
from .sending import Sent
from .watching import LONGEST_SECONDS, Suffered

MOST_PING_SECONDS = 0.1
MOST_NEIGHBOUR_SECONDS = 1.0


@dataclass(frozen=True)
class Trial:
    """One attack on one server.

    Attributes:
        contender: `ours` or `stock`.
        attack: Its name.
        copies: How many clients made it at once.
        sent: What became of each connection.
        ping: What `/ping` took meanwhile.
        neighbour: What a neighbour's small prediction took.
        workers_died: How many worker processes ended.
        settled: Whether the server was well soon afterwards.
    """

    contender: str
    attack: str
    copies: int
    sent: list[Sent]
    ping: Suffered
    neighbour: Suffered
    workers_died: int
    settled: bool

    @property
    def outcomes(self) -> dict[str, int]:
        """How many connections got which outcome."""
        return dict(sorted(Counter(one.outcome for one in self.sent).items()))

    @property
    def refused_seconds(self) -> float:
        """Until the last connection had its outcome."""
        return max((one.seconds for one in self.sent), default=0.0)

    def as_json(self) -> dict[str, Any]:
        """Of JSON types."""
        return {
            "contender": self.contender,
            "attack": self.attack,
            "copies": self.copies,
            "outcomes": self.outcomes,
            "refused_seconds": round(self.refused_seconds, 4),
            "ping": _rounded(self.ping),
            "neighbour": _rounded(self.neighbour),
            "workers_died": self.workers_died,
            "settled": self.settled,
        }

    def line(self) -> str:
        """For whoever waits."""
        return (
            f"{self.contender} {self.attack} x{self.copies}: {_counts(self.outcomes)} after "
            f"{self.refused_seconds:.2f} s; /ping {_shown(self.ping)}, neighbour {_shown(self.neighbour)}, "
            f"{self.workers_died} died{'' if self.settled else ', not well afterwards'}"
        )


def _rounded(suffered: Suffered) -> dict[str, Any]:
    return {
        "slowest_seconds": round(suffered.slowest, 4),
        "failed": suffered.failed,
        "asked": suffered.asked,
    }


def failures(trials: Sequence[Trial]) -> list[str]:
    """What ours did not reach, a line each."""
    found = []
    for trial in trials:
        if trial.contender != "ours":
            continue
        checks = {
            f"/ping took {trial.ping.slowest * 1000:.0f} ms": trial.ping.slowest < MOST_PING_SECONDS,
            f"{trial.ping.failed} x /ping not 200": not trial.ping.failed,
            f"a neighbour waited {trial.neighbour.slowest:.2f} s": trial.neighbour.slowest
            < MOST_NEIGHBOUR_SECONDS,
            f"{trial.neighbour.failed} predictions of a neighbour not 200": not trial.neighbour.failed,
            f"{trial.workers_died} workers died": not trial.workers_died,
            "not well afterwards": trial.settled,
            f"answered {_counts(trial.outcomes)}": set(trial.outcomes) <= ATTACKS[trial.attack].right,
        }
        wrong = [what for what, reached in checks.items() if not reached]
        if wrong:
            found.append(f"{trial.attack} x{trial.copies}: {', '.join(wrong)}")
    return found


def report(trials: Sequence[Trial]) -> str:
    """The summary, and a table for each group of attacks."""
    contenders = list(dict.fromkeys(trial.contender for trial in trials))
    columns = ("attack", "copies", *(f"{name}: {what}" for name in contenders for what in COLUMNS))
    parts = [_summary(trials, contenders)]
    for group, attacks in GROUPS.items():
        rows = []
        for attack in attacks:
            of_attack = [trial for trial in trials if trial.attack == attack.name]
            for copies in dict.fromkeys(trial.copies for trial in of_attack):
                cells = {trial.contender: _cells(trial) for trial in of_attack if trial.copies == copies}
                rows.append((attack.name, copies, *(cell for name in contenders for cell in cells[name])))
        if rows:
            parts.append(f"## {group}\n\n{table(columns, rows)}")
    return "\n\n".join(parts)


COLUMNS = ("outcome", "after", "slowest `/ping`", "slowest neighbour", "workers died")


def _cells(trial: Trial) -> tuple[str, ...]:
    died = str(trial.workers_died) if trial.settled else f"{trial.workers_died}, not well afterwards"
    after = f"{trial.refused_seconds:.2f} s"
    return _counts(trial.outcomes), after, _shown(trial.ping), _shown(trial.neighbour), died


def _summary(trials: Sequence[Trial], contenders: Sequence[str]) -> str:
    rows = []
    for name in contenders:
        own = [trial for trial in trials if trial.contender == name and trial.attack != NOTHING.name]
        rows.append(
            (
                name,
                len({trial.attack for trial in own}),
                _attacks(own, lambda trial: trial.ping.slowest >= MOST_PING_SECONDS or trial.ping.failed),
                _attacks(
                    own,
                    lambda trial: trial.neighbour.slowest >= MOST_NEIGHBOUR_SECONDS or trial.neighbour.failed,
                ),
                sum(trial.workers_died for trial in own),
                _attacks(own, lambda trial: not trial.settled),
            )
        )
    columns = (
        "", "attacks", f"`/ping` not 200 within {MOST_PING_SECONDS * 1000:.0f} ms",
        f"a neighbour not 200 within {MOST_NEIGHBOUR_SECONDS:g} s", "workers died", "not well afterwards",
    )  # fmt: skip
    return (
        f"{table(columns, rows, numbers=True)}\n\n"
        f"A question that is not answered within {LONGEST_SECONDS:g} s counts as failed. `closed`: the "
        "connection ended without an answer; `open`: neither came in time."
    )


def _attacks(trials: Sequence[Trial], which: Any) -> int:
    return len({trial.attack for trial in trials if which(trial)})


def _counts(outcomes: dict[str, int]) -> str:
    if len(outcomes) <= 1:
        return next(iter(outcomes), "-")
    return ", ".join(f"{count} x {outcome}" for outcome, count in outcomes.items())


def _shown(suffered: Suffered) -> str:
    shown = f"{suffered.slowest * 1000:.0f} ms"
    return f"{shown}, {suffered.failed} of {suffered.asked} failed" if suffered.failed else shown
