"""A release check's tables."""

from typing import Any

from benchmarks.published import table
from benchmarks.release.judgement import problems
from benchmarks.release.resolution import untried
from benchmarks.release.trial import CPU, LOWEST

_SHOWN = ("torch", "transformers", "kfp", "google-cloud-aiplatform", "onnxruntime")
_HELD_TO = {LOWEST: ", lowest versions", CPU: ", torch without CUDA"}
_USES = {
    "shown_help": "from the sdist: `vertex-torchserve --help`",
    "pipeline": "`[kfp]`: components imported, a pipeline compiled",
    "own_handler": "`[serve]`: a handler of one's own: `package`, `golden record`, `check`, `smoke-test`",
    "reference_handler": "`[all]`: the same with the reference handler",
    "demo": "`[all]`: `demo`",
}


def described(results: dict[str, Any]) -> str:
    """All of it for readers."""
    runs = {name: found for name, found in results.items() if "installations" in found}
    parts = [
        "The wheel is built from the sdist. Each row is an environment outside the checkout that held "
        "nothing but that Python's own pip; `[all]` goes on top of `[serve]`. Looked at: how many versions "
        "pip read of the package of which it read most.",
        table(
            ("Python", "pip", "what", "seconds", "packages", "MB", "looked at"),
            [row for name, found in runs.items() for row in _installations(name, found)],
        ),
        "Versions that were chosen:",
        table(
            ("Python", *_SHOWN),
            [
                (_called(name, found), *(_chosen(found).get(each, "") for each in _SHOWN))
                for name, found in runs.items()
            ],
        ),
        "What was done with them, in seconds:",
        table(
            ("", *(_called(name, found) for name, found in runs.items())),
            [(what, *(_seconds(found, step) for found in runs.values())) for step, what in _USES.items()],
            numbers=True,
        ),
        "Size in MB of each extra installed alone, with all packages that it brings and their byte code:",
        table(
            ("extra", *(_called(name, found) for name, found in runs.items())),
            [
                (f"`[{extra}]`" if extra else "none", *(_megabytes(found, extra) for found in runs.values()))
                for extra in dict.fromkeys(extra for found in runs.values() for extra in found["extras"])
            ],
            numbers=True,
        ),
        *(_not_installed(name, found) for name, found in results.items() if name not in runs),
        *(_lowest(found) for name, found in runs.items() if name == LOWEST),
    ]
    missed = problems(results)
    verdict = "Not as it should be:\n\n" + "\n".join(f"- {each}" for each in missed)
    return "\n\n".join([*parts, verdict if missed else "All of it is as it should be."])


def _not_installed(version: str, found: dict[str, Any]) -> str:
    """Of a Python that isn't here: whether there are wheels for it."""
    answer = (
        f"uv chose {len(found['versions'])} packages, torch {found['versions']['torch']} and transformers "
        f"{found['versions']['transformers']} among them; all that is compiled has wheels"
        if "versions" in found
        else "uv found no versions that fit together"
    )
    return f"Python {version} was not at hand: nothing was installed. For it {answer}."


def _lowest(found: dict[str, Any]) -> str:
    """Which declared lowest versions were tried."""
    missing = untried(found["floors"], list(found["versions"].values()))
    return (
        f"Of {len(found['floors'])} lowest versions that pyproject.toml declares, "
        f"{len(found['floors']) - len(missing)} were installed and used."
    )


def _called(name: str, found: dict[str, Any]) -> str:
    return f"{found['python']}{_HELD_TO.get(name, '')}"


def _installations(name: str, found: dict[str, Any]) -> list[tuple[object, ...]]:
    columns = ("pip", "what", "seconds", "packages", "megabytes")
    return [
        (_called(name, found), *(each[column] for column in columns), _most(each))
        for each in found["installations"]
    ]


def _most(installation: dict[str, Any]) -> str:
    """How many versions, and of which packages."""
    most = installation["most_versions"]
    names = [name for name, versions in installation["again"].items() if len(versions) == most]
    return f"{most} ({', '.join(names)})" if names else str(most)


def _chosen(found: dict[str, Any]) -> dict[str, str]:
    """The versions of each distribution in the last environment that had it."""
    return {name: version for versions in found["versions"].values() for name, version in versions.items()}


def _seconds(found: dict[str, Any], step: str) -> object:
    """Of a step; what was not begun has an empty cell."""
    return found["seconds"].get(step, "failed" if step in found["failed"] else "")


def _megabytes(found: dict[str, Any], extra: str) -> str:
    size = found["extras"].get(extra)
    return f"{size['bytes'] / 1e6:,.0f}" if size else ""
