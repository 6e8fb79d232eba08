"""Run cloudbuild.yaml's steps on this machine's Docker engine, as they are written, one after the other.

    python -m scripts.cloudbuild.local_run --leave-out build-gpu

In a copy of the files that git knows or does not ignore, as Cloud Build gets them. Nothing is pushed and
nothing uploaded; what the steps leave for `artifacts:` is copied to build/cloudbuild, the images are removed
again. Steps that wait for one that is left out are left out too.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.cloudbuild.build_config import Config, Step, expanded, problems, read, without
from vertex_torchserve.docker import client

_ROOT = Path(__file__).resolve().parents[2]
_DOCKER_BUILDER = "gcr.io/cloud-builders/docker:"
_SOCKET = "/var/run/docker.sock"
_PULL_SECONDS = 120


@dataclass(frozen=True)
class Machine:
    """Where the steps run.

    Attributes:
        docker: The local docker client.
        workspace: The copy of the checkout that is every step's /workspace.
        programs: A folder in which the client is called `docker`.
    """

    docker: str
    workspace: Path
    programs: Path


def main() -> int:
    """Run the steps; returns the exit code."""
    options = _options()
    config = read(_ROOT / "cloudbuild.yaml")
    if found := problems(config):
        sys.stderr.write("\n".join(found) + "\n")
        return 2
    values = {
        "PROJECT_ID": "local",
        "_TAG": "local",
        **dict(pair.split("=", 1) for pair in options.substitution),
    }
    try:
        config = expanded(config, values)
        steps, gone = without(config["steps"], set(options.leave_out))
    except KeyError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 2
    docker = client()
    with _machine(docker) as machine, _images_removed(docker, config["images"]):
        return _run_all(config, steps, gone, machine, options.tolerate)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--substitution", action="append", default=[], metavar="_NAME=VALUE")
    parser.add_argument("--leave-out", action="append", default=[], metavar="STEP")
    parser.add_argument(
        "--tolerate", type=int, action="append", default=[], metavar="CODE",
        help="a step that ends with this code is reported as not done, and the run goes on",
    )  # fmt: skip
    return parser.parse_args()


def _run_all(
    config: Config, steps: list[Step], gone: list[str], machine: Machine, tolerated: list[int]
) -> int:
    """Run the steps up to the first that fails; returns 0 or 1."""
    usable = {name: _usable(name, machine) for name in {step["name"] for step in steps}}
    summary = []
    failed = False
    for step in steps:
        _say(f"--- {step['id']}")
        started = time.monotonic()
        environment = [*config["options"].get("env", []), *step.get("env", [])]
        code = _run(step, environment, machine, in_container=usable[step["name"]])
        not_done = "  NOT DONE" if code in tolerated else ""
        summary.append(f"{step['id']:16} {time.monotonic() - started:7.1f} s  exit code {code}{not_done}")
        failed = code != 0 and not not_done
        if failed:
            break
    summary += [f"{name:16}       -    LEFT OUT" for name in gone]
    _say("\n".join([f"--- {'FAILED' if failed else 'done'}; nothing was pushed:", *summary]))
    _keep(config["artifacts"]["objects"]["paths"], machine)
    return 1 if failed else _missing(config, gone, machine.docker)


def _usable(name: str, machine: Machine) -> bool:
    """Whether a step's image runs here and, its docker client being another version, talks to this engine."""
    check = [machine.docker, "run", "--rm", "--volume", f"{_SOCKET}:{_SOCKET}", name, "version"]
    try:
        subprocess.run(check, check=True, capture_output=True, timeout=_PULL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        if not name.startswith(_DOCKER_BUILDER):
            raise
        _say(
            f"NOTE: {name} can't be used here: its steps run with this machine's own client, {machine.docker}"
        )
        return False
    return True


def _run(step: Step, environment: list[str], machine: Machine, *, in_container: bool) -> int:
    entrypoint = step.get("entrypoint")
    if in_container:
        command = [machine.docker, "run", "--rm", "--workdir", "/workspace"]
        command += ["--volume", f"{machine.workspace}:/workspace", "--volume", f"{_SOCKET}:{_SOCKET}"]
        command += [word for variable in environment for word in ("--env", variable)]
        command += [*(["--entrypoint", entrypoint] if entrypoint else []), step["name"], *step["args"]]
        code = subprocess.run(command, check=False).returncode
        _own(step["name"], machine)
        return code
    variables = {**os.environ, **dict(variable.split("=", 1) for variable in environment)}
    variables["PATH"] = f"{machine.programs}:{variables['PATH']}"
    command = [entrypoint or str(machine.programs / "docker"), *step["args"]]
    return subprocess.run(command, check=False, cwd=machine.workspace, env=variables).returncode


def _own(name: str, machine: Machine) -> None:
    """Steps run as root; what they wrote must be ours to remove."""
    command = [machine.docker, "run", "--rm", "--volume", f"{machine.workspace}:/workspace"]
    command += ["--entrypoint", "chown", name, "--recursive", f"{os.getuid()}:{os.getgid()}", "/workspace"]
    subprocess.run(command, check=True)


@contextmanager
def _machine(docker: str) -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="cloudbuild-") as folder:
        workspace, programs = Path(folder) / "workspace", Path(folder) / "bin"
        programs.mkdir()
        (programs / "docker").symlink_to(shutil.which(docker) or docker)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (_ROOT / name).is_file():  # not one that was deleted and is still in the index
                (workspace / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(_ROOT / name, workspace / name)
        yield Machine(docker, workspace, programs)


@contextmanager
def _images_removed(docker: str, names: list[str]) -> Iterator[None]:
    """Remove the images that the block made; the engine's build cache stays."""
    before = {name for name in names if _exists(docker, name)}
    try:
        yield
    finally:
        for name in names:
            if name not in before and _exists(docker, name):
                subprocess.run([docker, "image", "rm", name], check=False, stdout=subprocess.DEVNULL)


def _missing(config: Config, gone: list[str], docker: str) -> int:
    """Whether `images:` names one that no step made."""
    missing = [name for name in config["images"] if not _exists(docker, name)]
    if gone:
        _say(f"not there, for steps were left out: {missing}")
    elif missing:
        sys.stderr.write(f"`images:` names what no step made: {missing}\n")
        return 1
    return 0


def _exists(docker: str, image: str) -> bool:
    return (
        subprocess.run([docker, "image", "inspect", image], check=False, capture_output=True).returncode == 0
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # before what the next step writes


def _keep(paths: list[str], machine: Machine) -> None:
    """Copy what `artifacts:` would upload."""
    kept = _ROOT / "build" / "cloudbuild"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for path in (found for pattern in paths for found in sorted(machine.workspace.glob(pattern))):
        shutil.copy2(path, kept)
        _say(f"build/cloudbuild/{path.name}")


if __name__ == "__main__":
    sys.exit(main())
