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
_PIP_SECONDS = 60
_PIPS_OWN_INDEX = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"


def check_network(location: str | None) -> list[Finding]:
    """Whether pip's index, Vertex AI and Artifact Registry answer.

    Args:
        location: The region whose hosts are asked; none of Google's when None.
    """
    places = {"Hugging Face": "https://huggingface.co"}
    if index := _pip_index():
        places = {"pip's index": index, **places}
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
    """The index that pip is configured for, or pip's own; empty where there is no pip."""
    return (
        os.environ.get("PIP_INDEX_URL")
        or _printed("-m", "pip", "config", "get", "global.index-url")
        or _printed("-c", _PIPS_OWN_INDEX)
    )


def _printed(*arguments: str) -> str:
    """What this Python prints when it is run so; empty when it fails."""
    try:
        said = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=_PIP_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip()
