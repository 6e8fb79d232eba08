"""A model as the state keeps it, and what the API shows of it.

`{displayName, description, labels, createTime, updateTime, lastVersion, versions}`, where each version
is `{resource, artifactCopy, imageCopy}`: `resource` holds the version's own fields, `artifactCopy` the gs://
folder of its copy of the artifact, `imageCopy` what its image was at the upload.
"""

from vertex_torchserve.emulator.rest.names import now
from vertex_torchserve.emulator.rest.request import Json

DEFAULT = "default"
_OF_THE_MODEL = {"displayName", "description"}


def new_model() -> Json:
    """A model without versions."""
    return {"labels": {}, "createTime": now(), "lastVersion": 0, "versions": {}}


def add_version(model: Json, uploaded: Json, *, artifact_copy: str, image_copy: str) -> str:
    """Add the version an upload describes; the first one is the default. Returns its id."""
    first = not model["versions"]
    moment = model["createTime"] if first else now()
    version = str(model["lastVersion"] + 1)
    resource = {
        **{field: value for field, value in uploaded.items() if field not in _OF_THE_MODEL},
        "labels": uploaded.get("labels", {}),
        "versionId": version,
        "versionAliases": [],
        "versionCreateTime": moment,
        "versionUpdateTime": moment,
        "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"],
        "supportedInputStorageFormats": ["jsonl"],
        "supportedOutputStorageFormats": ["jsonl"],
    }
    model["versions"][version] = {
        "resource": resource,
        "artifactCopy": artifact_copy,
        "imageCopy": image_copy,
    }
    model.update(
        displayName=uploaded["displayName"],
        description=uploaded.get("description", ""),
        updateTime=moment,
        lastVersion=int(version),
    )
    give_aliases(model, version, {*uploaded.get("versionAliases", []), *([DEFAULT] if first else [])})
    return version


def find_version(model: Json, reference: str | None) -> str | None:
    """The version id that a version id or an alias means; none and `-` mean the default version."""
    if reference in model["versions"]:
        return reference
    alias = DEFAULT if reference in {None, "-"} else reference
    for version, stored in model["versions"].items():
        if alias in stored["resource"]["versionAliases"]:
            return str(version)
    return None


def give_aliases(model: Json, version: str, aliases: set[str]) -> None:
    """An alias lives on one version: the others lose what this one gets."""
    for other, stored in model["versions"].items():
        held = set(stored["resource"]["versionAliases"])
        stored["resource"]["versionAliases"] = sorted(held | aliases if other == version else held - aliases)


def take_aliases(model: Json, version: str, aliases: set[str]) -> None:
    """Take aliases from a version."""
    resource = model["versions"][version]["resource"]
    resource["versionAliases"] = sorted(set(resource["versionAliases"]) - aliases)


def view(name: str, model: Json, version: str) -> Json:
    """What the API shows of a version: its own fields and the model's, labels of both merged.

    Args:
        name: The model's name, or the version's with its `@`: whichever was asked for.
        model: The model as it is stored.
        version: The version id.
    """
    resource = model["versions"][version]["resource"]
    shared = {field: model[field] for field in ("displayName", "description", "createTime", "updateTime")}
    return {**resource, "name": name, **shared, "labels": {**model["labels"], **resource["labels"]}}


def base_models(version: Json) -> set[str]:
    """The names that a filter may give the version's base model in Model Garden.

    Args:
        version: A version, as the API shows it or as the state keeps it.
    """
    source = version.get("baseModelSource", {}).get("modelGardenSource", {})
    name: str = source.get("publicModelName", "")
    return {name, name.rpartition("/")[2], name.rpartition("/")[2].partition("@")[0]} - {""}
