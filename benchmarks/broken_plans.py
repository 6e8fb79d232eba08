"""Thirty broken archives and plans, and fifteen good ones: what the component's gate stops.

    python -m benchmarks.broken_plans

Each is proved in a container of the component's image, by the function that the component's task calls,
against the emulator; what passes is registered. A proxy before the emulator counts the uploads that reach
the registry; what lies in the folder for archives is counted afterwards. Writes
benchmarks/results/broken_plans.KIND.json and broken_plans.md.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.broken_archives import make_good_archive
from benchmarks.contenders import clean_up_on_sigterm
from benchmarks.plan_cases import OUR_IMAGE, Plan, broken_plans, good_plans
from benchmarks.published import publish, table
from testbed.deadlines import ANSWER_SECONDS
from testbed.vertex_gateway import Gateway, running_gateway
from vertex_torchserve import gcs
from vertex_torchserve.docker import DockerError, inspect_image, output_of
from vertex_torchserve.emulator import Emulator

IMAGE = "vertex-torchserve-component:dev"
BUCKET = "plans"
LOCATION = "us-central1"
PROGRAM = Path(__file__).with_name("one_gate.py")
SHOWN_CHARACTERS = 140


@dataclass(frozen=True)
class Outcome:
    """What became of a plan.

    Attributes:
        plan: Its name.
        broken: Whether it must be stopped.
        cause: What the message must hold then.
        stopped_by: The check that failed, or `input`; empty when nothing stopped it.
        message: What the task ended with.
        seconds: How long the task took.
        upload_calls: Uploads that the registry was asked for.
        objects: What was written to the folder for archives.
        versions: Of models, in the registry.
    """

    plan: str
    broken: bool
    cause: str
    stopped_by: str
    message: str
    seconds: float
    upload_calls: int
    objects: int
    versions: int

    def right(self) -> bool:
        """Whether a broken plan was stopped for its cause, with no trace; or a good one is one version."""
        if self.broken:
            traces = self.upload_calls + self.objects + self.versions
            return bool(self.stopped_by) and traces == 0 and self.cause in self.message
        return not self.stopped_by and (self.upload_calls, self.versions) == (1, 1)

    def told(self) -> str:
        """The line of the message that tells the cause; the first one where none does."""
        lines = self.message.strip().splitlines() or [""]
        line = next((each.strip() for each in lines if self.cause and self.cause in each), lines[0])
        return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}..."


class Bench:
    """The emulator, the proxy before it, and the image that gates run in.

    Args:
        emulator: Holds the bucket.
        gateway: Before its registry.
        image: The component's.
    """

    def __init__(self, emulator: Emulator, gateway: Gateway, image: str) -> None:
        self._emulator = emulator
        self._gateway = gateway
        self._image = image

    def try_plan(self, plan: Plan, number: int, broken: bool) -> Outcome:
        """Prove one, and look what it left behind."""
        project = f"plan-{number:02}"
        folder = f"gs://{BUCKET}/{project}"
        for name, content in plan.files.items():
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                gcs.upload_file(Path(file.name), gcs.GcsPath.parse(f"{folder}/{name}"))
        ended = self._run(plan, inputs_of(plan, project, folder), project, folder)
        archives = gcs.list_folder(gcs.GcsPath.parse(f"{folder}/archives"))
        asked = [call for call in self._gateway.asked if f"/projects/{project}/" in call]
        outcome = Outcome(
            plan.name, broken, plan.cause, ended["stopped_by"], ended["message"], ended["seconds"],
            sum(call.partition("?")[0].endswith("models:upload") for call in asked),
            len(archives), self._versions(project),
        )  # fmt: skip
        verdict = "right" if outcome.right() else "WRONG"
        sys.stderr.write(f"{verdict}: {plan.name}: {outcome.stopped_by or 'passed'}: {outcome.told()}\n")
        return outcome

    def _run(self, plan: Plan, inputs: dict[str, Any], project: str, folder: str) -> dict[str, Any]:
        upload = {
            "project": project, "location": LOCATION, "image": OUR_IMAGE, "folder": f"{folder}/archives"
        }  # fmt: skip
        hosts = {**self._emulator.environment(), "VERTEX_AI_EMULATOR_HOST": self._gateway.url}
        variables = [part for pair in hosts.items() for part in ("--env", "=".join(pair))]
        options = (
            "--network", "host", "--label", "vertex-torchserve=benchmark", *variables,
            "--mount", f"type=bind,source={PROGRAM},target=/one_gate.py,readonly", *plan.options,
        )  # fmt: skip
        given = json.dumps({"inputs": inputs, "upload": upload}).encode()
        try:
            printed = output_of(self._image, "python", "/one_gate.py", options=options, standard_input=given)
            ended: dict[str, Any] = json.loads(printed.splitlines()[-1])
        except DockerError as error:  # a traceback, or the kernel ended it
            ended = {"stopped_by": "crash", "message": error.message, "seconds": 0.0}
        return ended

    def _versions(self, project: str) -> int:
        """Of every model of a project."""
        models = f"/v1/projects/{project}/locations/{LOCATION}/models"
        with httpx.Client(base_url=self._emulator.vertex_host, timeout=ANSWER_SECONDS) as client:
            found = client.get(models).json().get("models", [])
            return sum(
                len(client.get(f"{models}/{model['name'].rpartition('/')[2]}:listVersions").json()["models"])
                for model in found
            )


def inputs_of(plan: Plan, project: str, folder: str) -> dict[str, Any]:
    """The inputs of a plan with the paths of its folder in the bucket."""
    if "model_archive" in plan.inputs:
        paths = {
            name: f"{folder}/{plan.inputs[name]}"
            for name in ("model_archive", "smoke_test_instances")
            if name in plan.inputs
        }
        return {**plan.inputs, **paths}
    return {
        "project_id": project,
        "location": LOCATION,
        "model_display_name": "plan",
        "gcs_model_path": f"{folder}/model",
        "extra_files_staging_path": f"{folder}/extra",
        "model_archive_path": f"{folder}/archives",
        **plan.inputs,
    }


def report(outcomes: Sequence[Outcome]) -> str:
    """The tables, and what they come to."""
    broken = [each for each in outcomes if each.broken]
    good = [each for each in outcomes if not each.broken]
    stopped = sum(bool(each.stopped_by) for each in broken)
    causes = sum(each.cause in each.message for each in broken if each.stopped_by)
    refused = sum(bool(each.stopped_by) for each in good)
    calls = sum(each.upload_calls for each in broken)
    objects = sum(each.objects for each in broken)
    once = sum((each.upload_calls, each.versions) == (1, 1) for each in good)
    return "\n\n".join(
        [
            "\n".join(
                [
                    f"- broken: {stopped} of {len(broken)} were stopped, {causes} for what is wrong; "
                    f"{calls} upload calls and {objects} objects in the folders for archives",
                    f"- good: {refused} of {len(good)} were stopped; {once} are one version after one call",
                ]
            ),
            table(
                ("broken archive or plan", "stopped by", "what was said", "upload calls", "objects"),
                [
                    (
                        each.plan,
                        each.stopped_by or "**nothing**",
                        each.told(),
                        each.upload_calls,
                        each.objects,
                    )
                    for each in broken
                ],
            ),
            table(
                ("good archive or plan", "stopped by", "upload calls", "versions"),
                [
                    (each.plan, each.stopped_by or "nothing", each.upload_calls, each.versions)
                    for each in good
                ],
            ),
            "`input`: before anything was served. The other words are the smoke test's checks: `image`, "
            "`ready`, `status`.",
        ]
    )


def main() -> int:
    """Try them; 1 when one is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", default=IMAGE, help=f"the component's image (default {IMAGE})")
    parser.add_argument("--jobs", type=int, default=2, help="gates at a time (default 2)")
    parser.add_argument("--plan", action="append", help="only the plans with these words in their name")
    arguments = parser.parse_args()
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="broken-plans-") as scratch:
        good = make_good_archive(Path(scratch, "good"))
        plans = [
            *((plan, True) for plan in broken_plans(good)),
            *((plan, False) for plan in good_plans(good)),
        ]
    chosen = [
        (number, plan, broken)
        for number, (plan, broken) in enumerate(plans)
        if any(words in plan.name for words in arguments.plan or [""])
    ]
    with Emulator.start(buckets=[BUCKET]) as emulator, running_gateway(emulator.vertex_host) as gateway:
        os.environ.update(emulator.environment())
        bench = Bench(emulator, gateway, arguments.image)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            outcomes = list(pool.map(lambda each: bench.try_plan(each[1], each[0], broken=each[2]), chosen))
    facts = inspect_image(arguments.image)
    publish(
        "broken_plans", "What the gate stops", {"gates_at_a_time": arguments.jobs},
        [asdict(each) for each in outcomes], report(outcomes), trial=bool(arguments.plan),
        programs={"component": {"image": arguments.image, "id": facts["Id"][:19]}},
    )  # fmt: skip
    wrong = [each for each in outcomes if not each.right()]
    for each in wrong:
        sys.stderr.write(f"NOT REACHED: {each.plan}: {asdict(each)}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
