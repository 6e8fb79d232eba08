"""What a smoke test saw: the one structure of which terminal, JSON, JUnit XML and the HTML page are made."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vertex_torchserve.archive_check.finding import Finding
from vertex_torchserve.serving.archive.answer_differences import Difference
from vertex_torchserve.serving.log.entry import LogEntry
from vertex_torchserve.serving.log.phases import Phase


@dataclass(frozen=True)
class Check:
    """One thing the smoke test looked at.

    Attributes:
        name: `archive`, `image`, `ready`, `probes`, `status`, `json`, `predictions` or `stopped`.
        ok: Whether it is as it must be.
        detail: What was seen.
        seconds: How long it took.
    """

    name: str
    ok: bool
    detail: str
    seconds: float = 0.0


@dataclass(frozen=True)
class LoadStep:
    """What some clients saw who asked at once, each again as soon as it was answered.

    Attributes:
        clients: How many.
        seconds: How long they asked.
        answered: Requests that were answered 200.
        failed: The others.
        median_ms: Half of the answers came within this many milliseconds.
        p95_ms: 95 of 100 did.
    """

    clients: int
    seconds: float
    answered: int
    failed: int
    median_ms: float
    p95_ms: float

    @property
    def requests_per_second(self) -> float:
        """Answered requests in a second."""
        return self.answered / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class PackageDifference:
    """A package that the Python of a proof and the image don't have in one version.

    Attributes:
        package: Its name; `Python` itself is one.
        here: The version that it was proved with; empty for none.
        image: The image's; empty for none.
    """

    package: str
    here: str
    image: str


@dataclass(frozen=True)
class ImageComparison:
    """The Python of a proof beside the image that the archive is to be registered with.

    Attributes:
        image: Whose packages they were compared with.
        compared: The packages that the archive's code can reach.
        differences: Those of them that differ.
    """

    image: str
    compared: tuple[str, ...]
    differences: tuple[PackageDifference, ...]

    def as_sentences(self) -> list[str]:
        """Each difference in words."""
        return [
            f"proved {f'with {each.package} {each.here}' if each.here else f'without {each.package}'}, "
            f"{self.image} has {each.image or 'none'}"
            for each in self.differences
        ]


@dataclass(frozen=True)
class ReplacedVersion:
    """How the archive answers the golden requests of the registered version that it replaces.

    Attributes:
        name: Of the version, such as `version 3 of my-model`.
        compared: How many answers were compared.
        changed: How many of them are others.
        not_compared: Why none was compared; empty when some were.
        differences: Where answers differ; `expected` is the version's.
    """

    name: str
    compared: int
    changed: int
    not_compared: str = ""
    differences: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the report's JSON."""
        return {**asdict(self), "differences": [difference._asdict() for difference in self.differences]}


@dataclass(frozen=True)
class SmokeTestReport:
    """What was seen.

    Attributes:
        mar_path: The archive.
        model_name: The name it was served under.
        image: The image it was served in; None for a process with no Docker.
        lock: The lock whose versions served it with no Docker; None for the Python that ran the test.
        size_bytes: The archive's size.
        sha256: Its digest, in hex.
        started_at: When the test began, RFC 3339.
        seconds: How long all of it took.
        ready_seconds: From the start of the server until it was ready; None when it never was.
        checks: In the order in which they were made; the first that fails is the last.
        phases: What the server did until the first answer, by its log; empty for an image that is not ours.
        load: The load run, by rising number of clients; empty when there was none.
        findings: What `vertex-torchserve check` says of the archive.
        log_problems: The server's warnings and errors.
        sizing: Its workers, threads and batches, by its log; empty for an image that is not ours.
        served_as: What the plan says of the container, by name; of variables the names alone.
        differences: Where answers differ from the predictions that are expected.
        comparison: What served, beside the image that it is to be registered with; None where the image
            itself served, or where nobody knows what it has.
        not_covered: What a proof would have to look at and this one did not, in words.
        versions: Of what served, by name; empty when the image doesn't tell.
        predictions: What the model answered, one for each instance; empty when it did not.
        replaced: The comparison with the version that it replaces; None where none is replaced.
    """

    mar_path: Path
    model_name: str
    image: str | None = None
    lock: str | None = None
    size_bytes: int = 0
    sha256: str = ""
    started_at: str = ""
    seconds: float = 0.0
    ready_seconds: float | None = None
    checks: tuple[Check, ...] = ()
    phases: tuple[Phase, ...] = ()
    load: tuple[LoadStep, ...] = ()
    findings: tuple[Finding, ...] = ()
    log_problems: tuple[LogEntry, ...] = ()
    sizing: str = ""
    served_as: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    comparison: ImageComparison | None = None
    not_covered: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    predictions: list[Any] = field(default_factory=list)
    replaced: ReplacedVersion | None = None

    @property
    def ok(self) -> bool:
        """Whether the archive served right; one that was not served did not."""
        return self.was_tested and all(check.ok for check in self.checks)

    @property
    def was_tested(self) -> bool:
        """Whether it was served at all."""
        return bool(self.checks)

    def failure(self) -> str:
        """What failed and how; empty when nothing did."""
        return "\n".join(f"{check.name}: {check.detail}" for check in self.checks if not check.ok)

    def as_json(self) -> dict[str, Any]:
        """The report for `--json`."""
        return {
            "mar_path": str(self.mar_path),
            "model_name": self.model_name,
            "image": self.image,
            "lock": self.lock,
            "ok": self.ok,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "started_at": self.started_at,
            "seconds": self.seconds,
            "ready_seconds": self.ready_seconds,
            "checks": [asdict(check) for check in self.checks],
            "phases": [asdict(phase) for phase in self.phases],
            "load": [
                {**asdict(step), "requests_per_second": round(step.requests_per_second, 1)}
                for step in self.load
            ],
            "findings": [finding.as_json() for finding in self.findings],
            "log_problems": [entry._asdict() for entry in self.log_problems],
            "sizing": self.sizing,
            "served_as": dict(self.served_as),
            "differences": [difference._asdict() for difference in self.differences],
            "comparison": asdict(self.comparison) if self.comparison else None,
            "not_covered": list(self.not_covered),
            "versions": dict(self.versions),
            "predictions": self.predictions,
            "replaced": self.replaced.as_json() if self.replaced else None,
        }
