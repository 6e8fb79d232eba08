"""Which registries and services can be reached from here; any answer of theirs will do."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

from vertex_torchserve.doctor.finding import Finding, State

_SECONDS = 10
_INDEX = "https://pypi.org/simple"


def check_network(location: str | None) -> list[Finding]:
    """Whether pip's index, Vertex AI and Artifact Registry answer.

    Args:
        location: The region whose hosts are asked; none of Google's when None.
    """
    places = {"pip's index": _pip_index(), "Hugging Face": "https://huggingface.co"}
    if location:
        places["Vertex AI"] = f"https://{location}-aiplatform.googleapis.com"
        places["Artifact Registry"] = f"https://{location}-docker.pkg.dev/v2/"
    with ThreadPoolExecutor(len(places)) as pool:
        return list(pool.map(_asked, places, places.values()))


def _asked(name: str, url: str) -> Finding:
    host = url.split("/")[2].rpartition("@")[2]  # without the credentials that an index's URL may hold
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS):  # noqa: S310 (https, or the user's own index)
            pass
    except urllib.error.HTTPError:
        pass  # an answer
    except (OSError, ValueError, HTTPException) as error:
        fix = "look at the network and its proxy (HTTPS_PROXY); without it bring packages and images yourself"
        return Finding("network", State.WARNING, f"{name}, {host}, can't be reached: {error}", fix)
    return Finding("network", State.OK, f"{name}, {host}, answers")


def _pip_index() -> str:
    """The index that pip is configured for."""
    if index := os.environ.get("PIP_INDEX_URL"):
        return index
    try:
        said = subprocess.run(
            [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return _INDEX
    return said.stdout.strip() or _INDEX
