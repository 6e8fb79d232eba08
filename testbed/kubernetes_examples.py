"""The files of `examples/kubernetes/`, and how docker runs a container as they describe it."""

from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).parents[1] / "examples" / "kubernetes"
MODEL_STORE = "/mnt/models"


def objects(file: str) -> dict[str, dict[str, Any]]:
    """The objects of a file, by their kind."""
    return {each["kind"]: each for each in yaml.safe_load_all((EXAMPLES / file).read_text())}


def deployed_pod() -> dict[str, Any]:
    """The pod of the Deployment."""
    pod: dict[str, Any] = objects("deployment.yaml")["Deployment"]["spec"]["template"]["spec"]
    return pod


def kserve_pod() -> dict[str, Any]:
    """The pod that KServe makes of the runtime and the InferenceService, as far as they say what is in it."""
    found = objects("kserve.yaml")
    service = found["InferenceService"]
    predictor = service["spec"]["predictor"]
    (container,) = found["ServingRuntime"]["spec"]["containers"]
    variables = [
        {**variable, "value": variable["value"].replace("{{.Name}}", service["metadata"]["name"])}
        for variable in container["env"]
    ]
    return {
        "containers": [{**container, "env": variables}],
        "volumes": found["ServingRuntime"]["spec"]["volumes"],
        "terminationGracePeriodSeconds": predictor["terminationGracePeriodSeconds"],
    }


def environment(pod: dict[str, Any]) -> dict[str, str]:
    """The variables of its container; a folder of the container stands for the one in Cloud Storage."""
    (container,) = pod["containers"]
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    if "AIP_STORAGE_URI" in variables:
        variables["AIP_STORAGE_URI"] = MODEL_STORE
    return variables


def docker_options(pod: dict[str, Any]) -> tuple[str, ...]:
    """User, root, capabilities, limits and folders of its container, as options of `docker create`.

    Raises:
        ValueError: For what docker has no option for here.
    """
    (container,) = pod["containers"]
    security = {**pod.get("securityContext", {}), **container["securityContext"]}
    limits = container["resources"]["limits"]
    if not security["runAsNonRoot"] or security["capabilities"] != {"drop": ["ALL"]}:
        raise ValueError(f"not as the examples have it: {security}")
    volumes = {volume["name"] for volume in pod["volumes"] if volume["emptyDir"] == {}}
    folders = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in volumes]
    return (
        *("--user", f"{security['runAsUser']}:0", "--cap-drop", "ALL"),
        *(("--read-only",) if security["readOnlyRootFilesystem"] else ()),
        *(() if security["allowPrivilegeEscalation"] else ("--security-opt", "no-new-privileges")),
        *(word for folder in folders for word in ("--tmpfs", f"{folder}:exec")),
        *("--memory", limits["memory"].replace("Gi", "g"), "--cpus", limits["cpu"]),
    )
