"""Archives that people have for TorchServe, served by stock TorchServe and by ours: are the answers the same?

    python -m benchmarks.stock_fixtures

Each archive of `benchmarks/stock_cases` is served by TorchServe 0.12 with its own main class, and by ours
twice: by default, where the client sends `{"instances": [...]}`, and with `VTS_ENVELOPE=none`, where it gets
the very bytes that stock gets. Nothing needs Docker or a download. Writes stock_fixtures.json and .md into
benchmarks/results/; ends with 1 when stock serves what ours doesn't, and `check` has no finding that says so.
"""

import argparse
import base64
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.published import installed_versions, publish, table
from benchmarks.stock_cases import CASES, Ask, Case
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.jvm_server import STOCK, JvmServer
from vertex_torchserve.archive_check.check import check_path
from vertex_torchserve.errors import InputError, ServingError
from vertex_torchserve.serving.local_server import ServingProcess

_NOT_SERVED = 0
# A model that stock has not loaded by then is not loaded: it tries again and again and says nothing.
_STOCK_SECONDS = 90.0
_MOST_SHOWN = 60
_AT_A_TIME = 2


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        status: 0 when the model was not served at all.
        body: JSON where it is JSON, else a text, else `{"b64": ...}`; the reason when it was not served.
    """

    status: int
    body: Any

    @classmethod
    def of(cls, response: httpx.Response) -> "Answer":
        """Read an answer."""
        try:
            return cls(response.status_code, json.loads(response.content))
        except ValueError:
            pass
        try:
            return cls(response.status_code, response.content.decode())
        except UnicodeDecodeError:
            return cls(response.status_code, {"b64": base64.b64encode(response.content).decode()})

    @property
    def is_right(self) -> bool:
        """Whether it is a prediction."""
        return self.status == 200


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        stock: What stock answered.
        ours: What ours answered by default, to the instance.
        plain: What ours answered without an envelope, to the bytes that stock got.
        findings: The rules of `check` that found something, errors first.
    """

    stock: Answer
    ours: Answer
    plain: Answer
    findings: tuple[str, ...]

    def verdict(self, case: Case) -> str:
        """In a few words; one that begins with FAILS must not be."""
        if not self.stock.is_right:
            return _both_fail(self) if not self.plain.is_right else "ours alone serves it"
        found = f"found: {', '.join(self.findings)}" if self.findings else ""
        if case.envelope is None and self.plain != self.stock:
            return found or f"FAILS without an envelope: {self.plain.status}"
        if self.ours == _as_prediction(case, self.stock):
            return "the same"
        if case.difference and self.ours.is_right:
            return case.difference
        return found or f"FAILS with the envelope: {self.ours.status}"


def _both_fail(outcome: Outcome) -> str:
    loaded = (outcome.stock.status, outcome.plain.status)
    return "neither loads it" if loaded == (_NOT_SERVED, _NOT_SERVED) else "both answer an error"


def main() -> int:
    """Serve every case, publish, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="cases with this in their name; not published"
    )
    arguments = parser.parse_args()
    cases = [case for case in CASES if arguments.only in case.name]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        outcomes = list(pool.map(tried, cases))
    verdicts = [outcome.verdict(case) for case, outcome in zip(cases, outcomes, strict=True)]
    rows = [
        (case.name, case.source, _shown(outcome.stock), _shown(outcome.ours), _shown(outcome.plain),
         ", ".join(outcome.findings), verdict)
        for case, outcome, verdict in zip(cases, outcomes, verdicts, strict=True)
    ]  # fmt: skip
    results = [
        {"case": case.name, "source": case.source, "verdict": verdict, **asdict(outcome)}
        for case, outcome, verdict in zip(cases, outcomes, verdicts, strict=True)
    ]
    columns = ("archive", "of", "stock", "ours", "ours, `envelope: none`", "`check` finds", "")
    publish(
        "stock_fixtures", "What stock TorchServe serves", {"cases": len(cases)}, results,
        f"{_ABOUT}\n\n{table(columns, rows)}", trial=bool(arguments.only),
        programs={"both": installed_versions(sys.executable, ("torch", "torchserve", "transformers"))},
    )  # fmt: skip
    failures = [verdict for verdict in verdicts if verdict.startswith("FAILS")]
    return 1 if failures else 0


_ABOUT = (
    "Archives like those of TorchServe's own tests (`fixture`), of its examples (`example`), and as "
    "torch-model-archiver's versions write them (`archiver`). Stock gets a request as its clients send it; "
    'ours gets the same as an instance of `{"instances": [...]}`, and, with `VTS_ENVELOPE=none`, the very '
    "bytes that stock got. A status, and the beginning of the answer; `-`: it was not served. Of what "
    "neither answers, all but one are fixtures that are there to fail; `image_classifier` needs torchvision, "
    "which is installed beside neither."
)


def tried(case: Case) -> Outcome:
    """Serve one archive with both."""
    with tempfile.TemporaryDirectory(prefix="stock-") as name:
        folder = Path(name) / "archive"
        folder.mkdir()
        archive = case.make(folder)
        report = check_path(str(archive))
        findings = tuple(dict.fromkeys(finding.rule for finding in report.findings))
        stock = _answer(_stock(case, archive, Path(name) / "run"), case.ask)
        ours = _answer(_ours(archive, {}), _asked(case))
        plain = _answer(_ours(archive, {"VTS_ENVELOPE": "none"}), case.ask)
    outcome = Outcome(stock, ours, plain, findings)
    sys.stderr.write(f"{case.name}: {outcome.verdict(case)}\n")
    return outcome


def _asked(case: Case) -> Ask:
    return Ask.json({"instances": [case.instance]})


def _as_prediction(case: Case, stock: Answer) -> Answer:
    """What ours has to answer where stock answers this."""
    return stock if case.envelope else Answer(stock.status, {"predictions": [stock.body]})


def _answer(server: AbstractContextManager[tuple[str, str]], ask: Ask) -> Answer:
    try:
        with server as (url, model):
            response = httpx.post(
                f"{url}/predictions/{model}",
                content=ask.body, headers={"Content-Type": ask.content_type}, timeout=ANSWER_SECONDS,
            )  # fmt: skip
            return Answer.of(response)
    except (ServingError, AssertionError, InputError) as error:
        return Answer(_NOT_SERVED, _reason(str(error)))


def _reason(message: str) -> str:
    """The last line of why a model was not served, which names the cause."""
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith("  fix: ")]
    return lines[-1]


@contextmanager
def _stock(case: Case, archive: Path, work: Path) -> Iterator[tuple[str, str]]:
    own = {"service_envelope": case.envelope} if case.envelope else {}
    configuration = {"default_workers_per_model": "1", "install_py_dep_per_model": "true", **own}
    with JvmServer(work, archive, main_class=STOCK, configuration=configuration) as server:
        server.wait_loaded(1, _STOCK_SECONDS)
        yield f"http://127.0.0.1:{server.http}", "model"


@contextmanager
def _ours(archive: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    own = {
        "AIP_STORAGE_URI": str(archive.parent),
        "AIP_PREDICT_ROUTE": "/predictions/model",
        "VTS_WORKERS": "1",
    }
    with ServingProcess({**own, **environment}) as server:
        server.wait_ready(READY_SECONDS)
        yield server.base_url, "model"


def _shown(answer: Answer) -> str:
    if not answer.is_right:
        return str(answer.status or "-")
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return f"{answer.status} `{text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + '...'}`"


if __name__ == "__main__":
    raise SystemExit(main())
