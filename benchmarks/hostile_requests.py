"""What hostile requests do to others: `/ping`, a neighbour's small prediction, the workers. Ours and stock.

    python -m benchmarks.hostile_requests

Each attack of benchmarks/hostile is made by one client and then by eight at once, for as long as it is not
answered, at most three seconds. `/ping` and a small prediction are asked all the time meanwhile, each time on
a new connection. A server that is not well afterwards is started anew. About twelve minutes. Writes
benchmarks/results/hostile_requests.KIND.json and hostile_requests.md, and the table of docs/security.md;
ends with 1 when ours is not as it must be.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.hostile.attack import Attack
from benchmarks.hostile.attack_table import DOCUMENT, written
from benchmarks.hostile.attacks import ATTACKS
from benchmarks.hostile.outcome import Trial, failures, report
from benchmarks.hostile.servers import CONTENDERS, Served, small_request, write_store
from benchmarks.hostile.trial import run_trial
from benchmarks.hostile.watching import Watch
from benchmarks.published import installed_versions, publish

COPIES = (1, 8)
MOST_SECONDS = 3.0
"""A trial ends after this. It is three times what a neighbour may wait, and stock may never answer."""
SETTLE_SECONDS = 3.0
START_SECONDS = 30.0


def main() -> int:
    """Attack both, publish, and judge ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("attacks", nargs="*", help="names of attacks; all when left out")
    parser.add_argument("--copies", type=int, nargs="*", default=COPIES, help="clients at once (default 1 8)")
    parser.add_argument("--ours-alone", action="store_true", help="leave stock out")
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="of a trial, at most (default 3)")
    arguments = parser.parse_args()
    unknown = set(arguments.attacks) - set(ATTACKS)
    if unknown:
        parser.error(f"no attack {', '.join(sorted(unknown))}; there are {', '.join(ATTACKS)}")
    chosen = [ATTACKS[name] for name in arguments.attacks or ATTACKS]
    contenders = ["ours"] if arguments.ours_alone else list(CONTENDERS)
    trials = list(_trials(chosen, contenders, arguments.copies, arguments.seconds))
    whole = not (arguments.attacks or arguments.ours_alone) and tuple(arguments.copies) == COPIES
    publish(
        "hostile_requests", "Hostile requests, and what others notice",
        {"copies": list(arguments.copies), "most_seconds": arguments.seconds},
        [trial.as_json() for trial in trials], report(trials), trial=not whole,
        programs={"both": installed_versions(sys.executable)},
    )  # fmt: skip
    if whole:
        DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    wrong = failures(trials)
    for failure in wrong:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if wrong else 0


def _trials(
    attacks: Sequence[Attack], contenders: Sequence[str], copies: Sequence[int], seconds: float
) -> Iterator[Trial]:
    for served in dict.fromkeys(attack.served for attack in attacks):
        with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
            store = write_store(served, Path(folder))
            for contender in contenders:
                own = [attack for attack in attacks if attack.served == served]
                yield from _attacked(contender, store, served, own, copies, seconds)


def _attacked(
    contender: str, store: Path, served: str, attacks: Sequence[Attack], copies: Sequence[int], seconds: float
) -> Iterator[Trial]:
    with ExitStack() as running:
        server, watch = running.enter_context(_started(contender, store, served))
        for attack in attacks:
            payload = attack.payload()
            for number in copies:
                before = server.workers()
                outcome = run_trial(attack, payload, number, server.port, watch, seconds)
                settled = server.settles(SETTLE_SECONDS)
                died = len(before - server.workers())
                trial = Trial(contender, attack.name, number, *outcome, died, settled)
                sys.stderr.write(f"{trial.line()}\n")
                yield trial
                if not settled or trial.workers_died:
                    running.close()
                    server, watch = running.enter_context(_started(contender, store, served))


@contextmanager
def _started(contender: str, store: Path, served: str) -> Iterator[tuple[Served, Watch]]:
    with tempfile.TemporaryDirectory(prefix="hostile-") as work:
        small = small_request(served)
        with CONTENDERS[contender](store, small, Path(work)) as server:
            if not server.settles(START_SECONDS):
                raise SystemExit(f"{contender} does not answer before anything is sent")
            with Watch(server.port, small) as watch:
                yield server, watch


if __name__ == "__main__":
    raise SystemExit(main())
