"""cloudbuild.yaml: by its published schema, by Cloud Build's own proto, and by what neither of them sees."""

import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.cloudbuild import build_config

ROOT = Path(__file__).parents[2]
CLOUDBUILD = ROOT / "cloudbuild.yaml"
IMAGES = ("torchserve-cpu", "torchserve-gpu", "vertex-torchserve-component")
BUILDER = "gcr.io/cloud-builders/docker:20.10.24"


@pytest.fixture
def config() -> dict[str, Any]:
    return deepcopy(build_config.read(CLOUDBUILD))


def schema_check(path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.cloudbuild", str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def proto_check(config: dict[str, Any]) -> Any:
    from google.cloud.devtools.cloudbuild_v1 import Build
    from google.protobuf.json_format import ParseDict

    return ParseDict(config, Build.pb(Build()))


def test_the_published_schema() -> None:
    answer = schema_check(CLOUDBUILD)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("waitFor:", "waitfor:"), ("VERIFIED", "VERIFYED"), ("timeout: 5400s", "timeout: 2h")],
)
def test_the_schema_sees_mistakes(tmp_path: Path, right: str, wrong: str) -> None:
    broken = tmp_path / "cloudbuild.yaml"
    text = CLOUDBUILD.read_text()
    assert right in text
    broken.write_text(text.replace(right, wrong, 1))
    assert schema_check(broken).returncode == 1


def test_the_proto(config: dict[str, Any]) -> None:
    build = proto_check(config)
    assert [step.id for step in build.steps][:3] == ["build-cpu", "build-gpu", "build-component"]
    assert build.timeout.seconds == 5400
    assert build.options.requested_verify_option == 1  # VERIFIED
    assert build.options.substitution_option == 0  # MUST_MATCH


def test_the_proto_sees_mistakes(config: dict[str, Any]) -> None:
    from google.protobuf.json_format import ParseError

    config["steps"][0]["waitfor"] = ["-"]
    with pytest.raises(ParseError, match="waitfor"):
        proto_check(config)


def test_steps_and_substitutions_fit_together(config: dict[str, Any]) -> None:
    assert build_config.problems(config) == []


def test_steps_and_substitutions_that_do_not(config: dict[str, Any]) -> None:
    config["steps"][4]["waitFor"] = ["build-cpu", "make-archives"]
    config["steps"][5]["id"] = "build-gpu"
    config["steps"][0]["args"][-1] = "${_CONTEXT}/$$HOME/$BUILD_ID"
    config["substitutions"]["_REGIO"] = "europe-west1"
    assert build_config.problems(config) == [
        "step 'smoke-test-cpu' waits for 'make-archives', which is no step before it",
        "step 5: id 'build-gpu' is missing or another step's",
        "substitution _CONTEXT is not defined",
        "substitution _REGIO is not used",
    ]


def test_substitutions_are_filled_in(config: dict[str, Any]) -> None:
    values = {"PROJECT_ID": "my-project", "_REGION": "europe-west4", "_REPOSITORY": "serving", "_TAG": "1.2"}
    filled = build_config.expanded(config, values)
    assert filled["images"] == [
        f"europe-west4-docker.pkg.dev/my-project/serving/{image}:{tag}"
        for image in IMAGES
        for tag in ("1.2", "cache")
    ]
    assert filled["artifacts"]["objects"]["location"] == "gs://my-project_cloudbuild/vertex-torchserve/1.2"
    assert "$" not in yaml.safe_dump(filled)


def test_a_substitution_that_is_none_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="_REGOIN"):
        build_config.expanded(config, {"PROJECT_ID": "my-project", "_REGOIN": "europe-west4"})


def test_what_waits_for_a_step_left_out_is_left_out(config: dict[str, Any]) -> None:
    steps, gone = build_config.without(config["steps"], {"build-gpu"})
    assert gone == ["build-gpu", "import-gpu", "sbom-gpu", "audit-gpu"]
    assert [step["id"] for step in steps if "gpu" in step["id"]] == []
    with pytest.raises(KeyError, match="build-tpu"):
        build_config.without(config["steps"], {"build-tpu"})


def test_every_image_is_built_cached_listed_audited_and_pushed_last(config: dict[str, Any]) -> None:
    waits = {step["id"]: step["waitFor"] for step in config["steps"]}
    for kind, image in zip(("cpu", "gpu", "component"), IMAGES, strict=True):
        build = next(step for step in config["steps"] if step["id"] == f"build-{kind}")
        assert waits[f"build-{kind}"] == (["build-cpu"] if kind == "component" else ["-"])
        assert "--build-arg=COMMIT=${_COMMIT}" in build["args"]
        assert f"--tag=${{_IMAGES}}/{image}:${{_TAG}}" in build["args"]
        assert f"--cache-from=${{_IMAGES}}/{image}:cache" in build["args"]
        assert "--build-arg=BUILDKIT_INLINE_CACHE=1" in build["args"]
        assert f"build-{kind}" in waits[f"sbom-{kind}"]
        assert f"sbom-{kind}" in waits[f"audit-{kind}"]
    component = next(step for step in config["steps"] if step["id"] == "build-component")
    assert "--build-arg=BASE_IMAGE=${_IMAGES}/torchserve-cpu:${_TAG}" in component["args"]
    assert waits["smoke-test-cpu"] == ["build-cpu", "make-archive"]
    assert waits["import-gpu"] == ["build-gpu"]
    assert len(config["images"]) == 6


def test_builders_are_pinned_and_none_is_archived(config: dict[str, Any]) -> None:
    assert {step["name"] for step in config["steps"]} == {BUILDER}


def test_no_push_and_no_credentials(config: dict[str, Any]) -> None:
    words = [word for step in config["steps"] for word in step["args"]]
    scripts = [path.read_text() for path in (ROOT / "scripts/cloudbuild").glob("*.sh")]
    code = [line for text in scripts for line in text.splitlines() if not line.startswith("#")]
    assert len(code) > 40
    refused = re.compile(r"\b(push|login|gcloud|gsutil|curl|secrets?|password|token|credentials?|:latest)\b")
    assert [line for line in [*words, *code] if refused.search(line)] == []
    assert {"secrets", "availableSecrets", "serviceAccount"} & set(config) == set()
    allowed = {"id", "name", "waitFor", "entrypoint", "args"}  # no allowFailure, no secretEnv, no volumes
    assert [step["id"] for step in config["steps"] if not set(step) <= allowed] == []


def test_every_file_that_steps_name_is_there(config: dict[str, Any]) -> None:
    named = [word for step in config["steps"] for word in step["args"]]
    paths = {word for word in named if word.startswith("scripts/")}
    paths |= {word.partition("=")[2] for word in named if word.startswith("--file=")}
    assert len(paths) == 7
    assert [path for path in sorted(paths) if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize(
    "script", sorted((ROOT / "scripts/cloudbuild").glob("*.sh")), ids=lambda path: path.name
)
def test_scripts_are_shell(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
    assert "set -euo pipefail" in script.read_text()
