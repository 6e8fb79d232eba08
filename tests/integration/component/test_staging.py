"""What the component takes from the bucket, and what it leaves there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import ECHO_HANDLER
from tests.integration.component.component_runs import Cloud, run_here
from tests.model_folders import wheel
from vertex_torchserve.component.inputs import ComponentInputs
from vertex_torchserve.component.staging import archive_folder, stage
from vertex_torchserve.errors import InputError
from vertex_torchserve.model_archive import build_model_archive

ARCHIVER_MEMBERS = {"MAR-INF/MANIFEST.json", "ckpt.pt", "handler.py"}


def names(cloud: Cloud, **inputs: Any) -> set[str]:
    """What is in the archive that the component registers, without what is in every one."""
    vertex_model = run_here(**inputs)
    with cloud.archive(vertex_model.metadata["ArtifactUri"]) as archive:
        members = set(archive.namelist())
        assert archive.read("ckpt.pt") == f"weights of {inputs['model_display_name']}".encode()
    assert members >= ARCHIVER_MEMBERS
    return members - ARCHIVER_MEMBERS


def staged_model(work: Path, **inputs: Any) -> set[str]:
    """What is downloaded of the model's folder."""
    folder = stage(ComponentInputs.given(**inputs), work).spec.model_folder
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_sub_folders_and_nothing_of_a_neighbour_with_the_same_start(cloud: Cloud) -> None:
    inputs = cloud.put_model("bert")
    cloud.storage.put("bert/1_Pooling/config.json", "{}")
    cloud.storage.put("bert-2/other.json", "{}")
    cloud.storage.put("bertram.json", "{}")
    assert names(cloud, **inputs) == {"1_Pooling/config.json"}


def test_names_and_patterns_to_ignore_never_take_the_model_itself(cloud: Cloud) -> None:
    inputs = cloud.put_model("ignoring")
    for name in ("events.log", "runs/1/deep.log", "optimizer.pt", "notes.txt", "config.json"):
        cloud.storage.put(f"ignoring/{name}", name)
    given = names(cloud, **inputs, extra_files_to_ignore=["*.log", "notes.txt", "*.pt"])
    assert given == {"config.json"}


@pytest.mark.parametrize(
    ("model", "archives"),
    [
        ("again", ""),
        ("again-beneath", "gs://bucket/again-beneath/my/archives"),
        ("again-elsewhere", "gs://bucket/elsewhere"),
    ],
)
def test_archives_are_not_staged_again_and_the_next_one_is_the_same(
    cloud: Cloud, tmp_path: Path, model: str, archives: str
) -> None:
    inputs = {**cloud.put_model(model), "model_archive_path": archives}
    first, second = run_here(**inputs), run_here(**inputs)
    assert staged_model(tmp_path, **inputs) == {"ckpt.pt"}
    assert first.metadata == second.metadata
    where = (archives or "gs://bucket/again/model-archive") + "/"
    assert first.metadata["ArtifactUri"].startswith(where)
    assert len(cloud.keys_beneath(where.removeprefix("gs://bucket/").removesuffix("/"))) == 1


def test_a_model_whose_uri_is_the_file_itself(cloud: Cloud, tmp_path: Path) -> None:
    """KFP's own path of an artifact ends in the output's name, not in the file's."""
    inputs = cloud.put_model("task")
    cloud.storage.put("task/model", "weights of task")
    cloud.storage.put("task/model-2", "another")
    inputs["gcs_model_path"] = "gs://bucket/task/model"
    assert staged_model(tmp_path, **inputs) == {"ckpt.pt"}
    assert str(archive_folder(ComponentInputs.given(**inputs))) == "gs://bucket/task/model-archive"
    assert names(cloud, **inputs) == set()


@pytest.mark.parametrize(
    ("path", "name", "member"),
    [
        ("gs://bucket/tokenizers/bpe.pkl", "", "bpe.pkl"),
        ("gs://bucket/tokenizers/bpe.pkl", "bpe.pkl", "bpe.pkl"),
        ("gs://bucket/tokenizers", "bpe.pkl", "bpe.pkl"),
        ("gs://bucket/tokenizers/", "bpe.pkl", "bpe.pkl"),
        ("gs://bucket/tokenizers/output", "bpe.pkl", "bpe.pkl"),
        ("gs://bucket/tokenizers/folder", "", "vocab.txt"),
        ("gs://bucket/tokenizers/folder", "folder", "vocab.txt"),
        ("gs://bucket/tokenizers", "folder", "vocab.txt"),
    ],
)
def test_a_tokenizer_is_the_file_or_the_folder_that_holds_it(
    cloud: Cloud, path: str, name: str, member: str
) -> None:
    cloud.storage.put("tokenizers/bpe.pkl", "bpe")
    cloud.storage.put("tokenizers/output", "bpe")
    cloud.storage.put("tokenizers/bpe.pkl-2", "another")
    cloud.storage.put("tokenizers/folder/vocab.txt", "words")
    inputs = cloud.put_model("tokenized")
    assert names(cloud, **inputs, custom_tokenizer_path=path, custom_tokenizer_name=name) == {member}


def test_the_model_file_of_an_eager_model(cloud: Cloud) -> None:
    inputs = cloud.put_model("eager")
    cloud.storage.put("eager-extra/src/net.py", "class Net: ...")
    assert names(cloud, **inputs, model_file="src/net.py") == {"net.py"}


def test_extra_files_may_lie_deeper_and_be_named_twice(cloud: Cloud) -> None:
    inputs = cloud.put_model("deeper")
    cloud.storage.put("deeper-extra/maps/labels.json", "{}")
    cloud.storage.put("deeper-extra/words/en.txt", "yes")
    cloud.storage.put("deeper-extra/not-named.txt", "")
    extra = "maps/labels.json, words,handler.py,maps/labels.json"
    assert names(cloud, **inputs, extra_prediction_files=extra) == {"labels.json", "words/en.txt"}


@pytest.mark.parametrize(
    ("extra", "handler", "expected"),
    [
        ("src", "src/handler.py", {"src/handler.py", "src/code/a.txt", "src/code/b.txt"}),
        ("src/code", "src/handler.py", {"code/a.txt", "code/b.txt"}),
        ("src/code,src/code/a.txt", "src/handler.py", {"code/a.txt", "code/b.txt", "a.txt"}),
        ("src/code/a.txt,src/code/", "src/handler.py", {"a.txt", "b.txt"}),
        ("src/", "src/handler.py", {"code/a.txt", "code/b.txt"}),
        ("src/code,src/code/", "src/handler.py", {"code/a.txt", "code/b.txt", "a.txt", "b.txt"}),
    ],
)
def test_names_inside_each_other(cloud: Cloud, extra: str, handler: str, expected: set[str]) -> None:
    inputs = cloud.put_model("nested")
    cloud.storage.put("nested-extra/src/handler.py", ECHO_HANDLER)
    cloud.storage.put("nested-extra/src/code/a.txt", "a")
    cloud.storage.put("nested-extra/src/code/b.txt", "b")
    assert names(cloud, **{**inputs, "handler": handler}, extra_prediction_files=extra) == expected


def test_requirements_and_instances_inside_an_extra_folder(cloud: Cloud, tmp_path: Path) -> None:
    inputs = cloud.put_model("inside")
    for name in ("requirements.txt", "net.py", "instances.json"):
        cloud.storage.put(f"inside-extra/code/{name}", "{}")
    staged = stage(
        ComponentInputs.given(
            **inputs,
            extra_prediction_files="code",
            requirements="code/requirements.txt",
            model_file="code/net.py",
            smoke_test_instances="code/instances.json",
        ),
        tmp_path,
    )
    files = (staged.spec.requirements_file, staged.spec.model_file, staged.smoke_test_instances)
    assert [file.read_text() for file in files if file] == ["{}"] * 3
    assert sorted(each.name for each in Path(staged.spec.extra_files[0]).iterdir()) == [
        "instances.json",
        "net.py",
        "requirements.txt",
    ]


def test_a_folder_named_with_its_slash_is_no_object(cloud: Cloud, tmp_path: Path) -> None:
    inputs = cloud.put_model("slash")
    cloud.storage.put("slash-extra/pkg", "an object")
    with pytest.raises(
        InputError, match=r"extra_prediction_files: there is nothing at gs://bucket/slash-extra/pkg"
    ):
        stage(ComponentInputs.given(**inputs, extra_prediction_files="pkg/"), tmp_path)


def test_two_extra_files_of_one_name_are_refused(cloud: Cloud) -> None:
    inputs = cloud.put_model("same")
    cloud.storage.put("same-extra/a/labels.json", "a")
    cloud.storage.put("same-extra/b/labels.json", "b")
    told = (
        r"^gs://bucket/same-extra/a/labels\.json and gs://bucket/same-extra/b/labels\.json would both land on"
    )
    with pytest.raises(InputError, match=told):
        run_here(**inputs, extra_prediction_files="a/labels.json,b/labels.json")
    assert cloud.keys_beneath("same") == ["same/ckpt.pt"]


def test_everything_that_is_not_there_is_named_at_once(cloud: Cloud, tmp_path: Path) -> None:
    inputs = {
        **cloud.put_model("missing"),
        "local_model_file": "pytorch_model.bin",
        "handler": "custom_handler.py:predict",
        "extra_prediction_files": "labels.json,handler.py",
        "custom_tokenizer_path": "gs://bucket/missing-tokenizer",
        "smoke_test_instances": "instances.json",
    }
    with pytest.raises(InputError) as raised:
        stage(ComponentInputs.given(**inputs), tmp_path)
    assert [problem.message for problem in raised.value.problems] == [
        "local_model_file 'pytorch_model.bin' is not in gs://bucket/missing, which holds: ckpt.pt",
        "handler: there is nothing at gs://bucket/missing-extra/custom_handler.py",
        "smoke_test_instances: there is nothing at gs://bucket/missing-extra/instances.json",
        "extra_prediction_files: there is nothing at gs://bucket/missing-extra/labels.json",
        "custom_tokenizer_path: there is nothing at gs://bucket/missing-tokenizer",
    ]
    assert list(tmp_path.iterdir()) == []


def test_an_empty_model_folder_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    inputs = {**cloud.put_model("full"), "gcs_model_path": "gs://bucket/empty"}
    with pytest.raises(InputError, match="gs://bucket/empty, which holds: nothing"):
        stage(ComponentInputs.given(**inputs), tmp_path)


ENDPOINT = "class EndpointHandler:\n    def __init__(self, path): ...\n    def __call__(self, data): ...\n"


@pytest.mark.parametrize(
    ("handler", "member"), [("endpoint:handler.py", "handler.py"), ("endpoint:code/own.py", "code/own.py")]
)
def test_a_handler_of_another_server_in_the_model_s_folder(
    cloud: Cloud, tmp_path: Path, handler: str, member: str
) -> None:
    inputs = {**cloud.put_model("hub"), "handler": handler, "extra_files_staging_path": ""}
    cloud.storage.put(f"hub/{member}", ENDPOINT)
    spec = stage(ComponentInputs.given(**inputs), tmp_path).spec
    built = build_model_archive(spec, tmp_path / "out")
    assert (built.handler, member in built.members) == ("endpoint_adapter.py", True)


def test_a_handler_of_another_server_in_the_staging_folder(cloud: Cloud, tmp_path: Path) -> None:
    inputs = {**cloud.put_model("foreign"), "handler": "sagemaker:src/inference.py"}
    inputs["extra_files_staging_path"] = "gs://bucket/foreign-extra"
    cloud.storage.put("foreign-extra/src/inference.py", "def model_fn(model_dir): ...\n")
    spec = stage(ComponentInputs.given(**inputs), tmp_path).spec
    built = build_model_archive(spec, tmp_path / "out")
    assert (built.handler, "inference.py" in built.members) == ("sagemaker_adapter.py", True)


def test_wheels_of_the_requirements(cloud: Cloud, tmp_path: Path) -> None:
    inputs = {**cloud.put_model("wheels"), "requirements": "requirements.txt"}
    cloud.storage.put("wheels-extra/requirements.txt", "plurals\n")
    cloud.storage.put("of-wheels/plurals-1.0-py3-none-any.whl", wheel("plurals", "1.0"))
    cloud.storage.put("of-wheels/unwanted-1.0-py3-none-any.whl", wheel("unwanted", "1.0"))
    given = ComponentInputs.given(**inputs, custom_container=True, vendor_wheels="gs://bucket/of-wheels")
    staged = stage(given, tmp_path)
    built = build_model_archive(staged.spec, tmp_path / "out")
    assert [name for name in built.members if name.startswith("wheels/")] == [
        "wheels/plurals-1.0-py3-none-any.whl"
    ]
    assert staged.origins[tmp_path / "wheels"] == "gs://bucket/of-wheels"
    assert stage(replace(given, vendor_wheels="index"), tmp_path / "second").spec.vendor_wheels == "index"
    missing = replace(given, vendor_wheels="gs://bucket/nowhere")
    with pytest.raises(InputError, match="vendor_wheels: there is nothing at gs://bucket/nowhere"):
        stage(missing, tmp_path / "third")
