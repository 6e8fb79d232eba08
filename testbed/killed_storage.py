"""Object writes to a storage emulator that is killed meanwhile, and what it has kept when it starts again."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx

from vertex_torchserve.serving.ports import free_ports

BUCKET = "models"
# Few names, so that most writes replace an object.
NAMES = tuple(f"folder/{number}.bin" for number in range(40))
MOST_BYTES = 64 * 1024
LATEST_KILL_SECONDS = 1.0
_START_SECONDS = 120.0
# One write in so many is a deletion.
_DELETED = 8

Command = Callable[[Path, int], tuple[list[str], dict[str, str]]]


def ours(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """The arguments and the environment of this package's emulator."""
    program = str(Path(sys.executable).with_name("vertex-torchserve"))
    options = ["--data-dir", str(folder), "--storage-port", str(port), "--bucket", BUCKET]
    return [program, "emulator", *options], {}


def stock(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """The same of gcp-storage-emulator's own command."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--default-bucket", BUCKET]
    return [sys.executable, "-m", "gcp_storage_emulator", "start", *options], {"STORAGE_BASE": str(folder)}


@dataclass
class Kept:
    """What must be in the bucket.

    Attributes:
        contents: Name -> what the server acknowledged last; None for an acknowledged deletion.
        unanswered: Name -> what was asked and not answered before the kill: it may have happened or not.
    """

    contents: dict[str, bytes | None] = field(default_factory=dict)
    unanswered: dict[str, bytes | None] = field(default_factory=dict)

    def settle(self, found: Mapping[str, bytes | None]) -> list[str]:
        """The names whose content is neither the acknowledged nor the unanswered; then take what is there."""
        lost = [
            name
            for name in NAMES
            if found[name] != self.contents.get(name)
            and not (name in self.unanswered and found[name] == self.unanswered[name])
        ]
        self.contents, self.unanswered = dict(found), {}
        return lost


@dataclass(frozen=True)
class Trial:
    """One kill.

    Attributes:
        acknowledged: Writes and deletions that were acknowledged before it.
        started: Whether the server started again on its folder.
        lost: Names of objects that were not there, or not as acknowledged.
        error: The last line that a server which did not start wrote.
    """

    acknowledged: int
    started: bool
    lost: list[str]
    error: str = ""


def run_trials(command: Command, folder: Path, kills: int, seed: int = 0) -> Iterator[Trial]:
    """Kill the server `kills` times on one folder; one that doesn't start again gets an empty folder.

    Args:
        command: `ours` or `stock`.
        folder: An empty folder.
        kills: How often.
        seed: Of the contents and moments.
    """
    chance = random.Random(seed)  # noqa: S311 (not a secret)
    kept = Kept()
    acknowledged: int | None = None
    while kills:
        try:
            with _server(command, folder) as (url, process):
                lost = kept.settle(_contents(url))
                if acknowledged is not None:
                    yield Trial(acknowledged, True, lost)
                    kills -= 1
                if kills:
                    acknowledged = _write_until_killed(url, process, kept, chance)
        except RuntimeError as error:
            if acknowledged is None:
                raise
            lost = [name for name, content in kept.contents.items() if content is not None]
            yield Trial(acknowledged, False, lost, str(error))
            kills -= 1
            shutil.rmtree(folder)
            folder.mkdir()
            kept, acknowledged = Kept(), None


@contextmanager
def _server(command: Command, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server that answers, killed at the end.

    Raises:
        RuntimeError: When it ends instead; the message is its last line.
    """
    (port,) = free_ports(1)
    arguments, environment = command(folder, port)
    output = folder.with_suffix(".log")
    url = f"http://127.0.0.1:{port}"
    with output.open("wb") as log:
        process = subprocess.Popen(arguments, env=os.environ | environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(url):
            if process.poll() is not None:
                raise RuntimeError(output.read_text().strip().rpartition("\n")[2])
            if time.monotonic() > deadline:
                raise RuntimeError(f"no answer in {_START_SECONDS:.0f} s")
            time.sleep(0.05)
        yield url, process
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/storage/v1/b/{BUCKET}", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _write_until_killed(url: str, process: subprocess.Popen[bytes], kept: Kept, chance: random.Random) -> int:
    """Write and delete objects without a pause; returns how many requests were acknowledged.

    The kill comes at a random moment after the first was, for which a busy disk may need long.
    """
    acknowledged = 0
    seconds = chance.uniform(0.01, LATEST_KILL_SECONDS)
    killer = threading.Timer(seconds, process.send_signal, [signal.SIGKILL])
    with httpx.Client(base_url=url, trust_env=False, timeout=_START_SECONDS) as client:
        while True:
            name = chance.choice(NAMES)
            deletes = kept.contents.get(name) is not None and chance.randrange(_DELETED) == 0
            content = None if deletes else chance.randbytes(chance.randrange(1, MOST_BYTES))
            kept.unanswered[name] = content
            try:
                _put(client, name, content)
            except httpx.TransportError:
                killer.join()
                return acknowledged
            kept.contents[name] = kept.unanswered.pop(name)
            acknowledged += 1
            if acknowledged == 1:
                killer.start()


def _put(client: httpx.Client, name: str, content: bytes | None) -> None:
    if content is None:
        answer = client.delete(f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")
    else:
        parameters = {"uploadType": "media", "name": name}
        answer = client.post(f"/upload/storage/v1/b/{BUCKET}/o", params=parameters, content=content)
    answer.raise_for_status()


def _contents(url: str) -> dict[str, bytes | None]:
    """The content of each name; None where the listing has none."""
    with httpx.Client(base_url=f"{url}/storage/v1/b/{BUCKET}", trust_env=False) as client:
        listed = {item["name"] for item in client.get("/o").raise_for_status().json()["items"]}
        return {name: _content(client, name) if name in listed else None for name in NAMES}


def _content(client: httpx.Client, name: str) -> bytes:
    """What is there; what a listed object answers in place of its content counts as a wrong one."""
    return client.get(f"/o/{quote(name, safe='')}", params={"alt": "media"}).content
