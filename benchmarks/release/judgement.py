"""What of a release check's results is not as it should be."""

from typing import Any

from benchmarks.release.resolution import untried
from benchmarks.release.trial import STEPS

# More versions of one package than this, and pip wanders.
MOST_VERSIONS = 3


def problems(results: dict[str, Any]) -> list[str]:
    """A line for each step that failed, each package that pip wandered through, each floor not tried."""
    lines = []
    for name, found in results.items():
        lines += [f"{name}: {step}: {_last_line(said)}" for step, said in found.get("failed", {}).items()]
        if "seconds" in found:
            lines += [
                f"{name}: {step} was not tried"
                for step in STEPS
                if step not in found["seconds"] | found["failed"]
            ]
        if "problem" in found:
            lines.append(f"{name}: {_last_line(found['problem'])}")
        for each in found.get("installations", ()):
            lines += [
                f"{name}: pip looked at {len(versions)} versions of {package} for {each['what']}"
                for package, versions in each["again"].items()
                if len(versions) > MOST_VERSIONS and "floors" not in found
            ]
        if "floors" in found:
            lines += [
                f"{name}: {package} {version} is declared, and nothing was tried with it"
                for package, version in untried(found["floors"], list(found["versions"].values())).items()
            ]
    return lines


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["it said nothing"])[-1]
