"""What is refused before anything is written, and what is let through."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive


def refusal(spec: ModelArchiveSpec, tmp_path: Path) -> str:
    """The message of the refusal; nothing may have been written."""
    with pytest.raises(InputError) as caught:
        build_model_archive(spec, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    return str(caught.value)


def test_a_folder_that_does_not_exist(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    message = refusal(replace(spec, model_folder=tmp_path / "nowhere"), tmp_path)
    assert "nowhere' does not exist\n  fix: name the trained model's folder" in message


def test_an_empty_folder(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty' holds no file" in refusal(replace(spec, model_folder=tmp_path / "empty"), tmp_path)


def test_a_serialized_file_that_is_not_there(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    message = refusal(replace(spec, local_model_file="ckpt.pt"), tmp_path)
    assert "local model file 'ckpt.pt' is not in" in message
    assert "1_Pooling, config.json, model.safetensors, training.log" in message


def test_a_serialized_file_that_could_be_several(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (spec.model_folder / "model.safetensors").unlink()
    for name in ("a.pt", "b.pt"):
        (spec.model_folder / name).write_text("weights")
    assert "it could be a.pt, b.pt\n  fix: name it with --local-model-file" in refusal(spec, tmp_path)


def test_two_files_on_one_name(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    extra = tmp_path / "other" / "config.json"
    extra.write_text("{}")
    message = refusal(replace(spec, extra_files=(extra,)), tmp_path)
    assert f"{spec.model_folder / 'config.json'} and {extra} would both land on 'config.json'" in message


@pytest.mark.parametrize("copied", [False, True])
def test_the_same_file_twice_is_no_conflict(copied: bool, spec: ModelArchiveSpec, tmp_path: Path) -> None:
    handler = Path(spec.handler)
    if copied:
        (tmp_path / "copy").mkdir()
        handler = Path(shutil.copy(handler, tmp_path / "copy"))
    assert (
        "handler.py" in build_model_archive(replace(spec, extra_files=(handler,)), tmp_path / "out").members
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def handle(data, context:\n    pass\n", "line 1: '(' was never closed"),
        ("class A: ...\nclass B: ...\n", "defines 2 classes (A, B) and no `handle`"),
        ("X = 1\n", "defines 0 classes (none) and no `handle`"),
        ("x = 1\x00", "cannot contain null bytes"),
    ],
)
def test_a_handler_that_torchserve_can_not_load(
    spec: ModelArchiveSpec, tmp_path: Path, source: str, expected: str
) -> None:
    Path(spec.handler).write_text(source)
    assert expected in refusal(spec, tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        "from torch import *\n",
        "class A: ...\nclass B: ...\nhandle = A().go\n",
        "if True:\n    def handle(d, c): ...\n",
    ],
)
def test_a_handler_that_may_be_right_is_let_through(
    spec: ModelArchiveSpec, tmp_path: Path, source: str
) -> None:
    Path(spec.handler).write_text(source)
    assert build_model_archive(spec, tmp_path / "out").mar_path.is_file()


def test_a_handler_function_that_is_not_there(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    assert "defines no function 'go'" in refusal(replace(spec, handler=f"{spec.handler}:go"), tmp_path)


@pytest.mark.parametrize("name", ["-model", "a b", "mod/el", "", "größe"])
def test_a_name_the_archiver_refuses(spec: ModelArchiveSpec, tmp_path: Path, name: str) -> None:
    message = refusal(replace(spec, model_name=name), tmp_path)
    assert f"model name {name!r} is refused by torch-model-archiver" in message


@pytest.mark.parametrize("version", ["v" * 201, "1\n2"])
def test_a_version_that_no_server_takes(spec: ModelArchiveSpec, tmp_path: Path, version: str) -> None:
    message = refusal(replace(spec, version=version), tmp_path)
    assert "accepted are printable ones, at most 200" in message
    assert "choose another version, such as 'v1.0'" in message


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- a\n", "a: [1\n"])
def test_a_model_config_torchserve_would_die_of(spec: ModelArchiveSpec, tmp_path: Path, text: str) -> None:
    (spec.model_folder / "model-config.yaml").write_text(text)
    assert "model-config.yaml" in refusal(spec, tmp_path)


@pytest.mark.parametrize("name", ["json.py", "torch/__init__.py", "MAR-INF/MANIFEST.json"])
def test_a_file_that_would_take_the_place_of_another(
    spec: ModelArchiveSpec, tmp_path: Path, name: str
) -> None:
    (spec.model_folder / name).parent.mkdir(exist_ok=True)
    (spec.model_folder / name).write_text("")
    assert str(spec.model_folder / name) in refusal(spec, tmp_path)


def test_everything_at_once(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    message = refusal(
        replace(
            spec,
            model_folder=tmp_path / "nowhere",
            handler="none.py",
            model_name="-",
            version=" ",
            requirements_file=tmp_path / "r.txt",
            tokenizer=tmp_path / "t",
        ),
        tmp_path,
    )
    assert message.startswith("6 problems with the input:")
    for part in ("nowhere", "none.py", "'-'", "version", "r.txt", "tokenizer"):
        assert part in message


def test_a_golden_request_that_would_never_be_answered_is_refused(
    spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    golden = tmp_path / "golden.json"
    spec = replace(spec, golden_request=golden)
    assert f"golden request '{golden}' is not a file that exists" in refusal(spec, tmp_path)
    golden.write_text('{"instances": [], "prediction": [1]}')
    message = refusal(spec, tmp_path)
    assert "2 problems with the input" in message
    assert f"{golden}: golden-request.json: 'prediction' is no field of it" in message
    assert '"instances" must be a list of at least one instance, got []' in message
    golden.write_text('{"instances": ["a"]}')
    (spec.model_folder / "golden-request.json").write_text('{"instances": [1]}')
    assert "would both land on 'golden-request.json'" in refusal(spec, tmp_path)


def test_a_task_that_can_t_be_is_refused(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    message = refusal(replace(spec, handler="huggingface", task="summarisation"), tmp_path)
    assert "unknown task 'summarisation'; accepted: " in message
    assert " sentence-embeddings, " in message
    assert " summarization, " in message
    message = refusal(replace(spec, task="summarization"), tmp_path)
    assert "task 'summarization' is for the reference handler" in message
    config = tmp_path / "settings.yaml"
    config.write_text("handler: {task: translation}")
    spec = replace(spec, handler="huggingface", task="summarization", config_file=config)
    assert f"{config} says task 'translation', --task says 'summarization'" in refusal(spec, tmp_path)
    config.write_text("handler: [task]")
    assert f"{config}: handler is ['task'], not a mapping" in refusal(spec, tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "model-config.yaml",
            "a: 2001-99-99",
            "model-config.yaml holds '2001-99-99' in line 1, which is no timestamp",
        ),
        ("model-config.yaml", "a: " + "[" * 5000, "model-config.yaml nests more than 50 lists and objects"),
        ("model-config.yaml", "minWorkers: 99999999999", "minWorkers is 99999999999; 1 to 1024 is accepted"),
        (
            "golden-request.json",
            '{"instances": ' + "[" * 900 + "]" * 900 + "}",
            "golden-request.json nests more than 100 lists",
        ),
        ("golden-request.json/x", "", "the archive holds folders in place of golden-request.json"),
    ],
)
def test_what_would_not_be_served_is_not_packaged(
    spec: ModelArchiveSpec, tmp_path: Path, name: str, text: str, said: str
) -> None:
    (spec.model_folder / name).parent.mkdir(exist_ok=True)
    (spec.model_folder / name).write_text(text)
    assert said in refusal(spec, tmp_path)


def test_a_model_name_that_is_too_long_for_a_file(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    said = refusal(replace(spec, model_name="m" * 100_000), tmp_path)
    assert "has 100,000 characters; at most 200 are accepted" in said
    assert len(said) < 500


def test_what_another_image_may_have_is_a_warning(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    Path(spec.handler).write_text("import cv2\n\n\ndef handle(data, context):\n    return data\n")
    built = build_model_archive(spec, tmp_path / "out")
    assert built.warnings == (
        "handler.py:1: imports cv2, which is not in the archive, the serving image or the requirements; fix: "
        "when it is a file of yours, put cv2.py into the archive (`--extra-file`); when it is a package, "
        "name it in the requirements [handler-imports]",
    )


def test_weights_that_are_cut_off(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    weights = spec.model_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:12])
    assert f"{weights}: says that its header has 8 bytes, and has 12 itself" in refusal(spec, tmp_path)
