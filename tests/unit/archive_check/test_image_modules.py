"""The list of the images' modules is the one that their lock gives; what TorchServe's handlers import."""

import dataclasses
import importlib.util
import io
from pathlib import Path

import pytest

from scripts.image_modules import FILE, expected_text
from testbed.archive_faults.making import torch_zip
from vertex_torchserve.archive_check.image_modules import of_our_images
from vertex_torchserve.archive_check.reading.handler_reference import TORCHSERVE_HANDLERS
from vertex_torchserve.archive_check.reading.python_source import PythonSource
from vertex_torchserve.archive_check.rules.handler.built_in_handler_libraries import LIBRARIES
from vertex_torchserve.archive_check.rules.model_files.model_libraries import model_libraries
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.archive_check.views.folder_view import FilesView


def test_the_list_is_up_to_date() -> None:
    assert FILE.read_text() == expected_text(), "stale: run python -m scripts.image_modules"


def test_it_tells_what_the_image_has() -> None:
    image = of_our_images()
    assert image.versions["torch"] == "2.13.0+cpu"
    assert image.torch_index == "https://download.pytorch.org/whl/cpu"
    assert all(image.has(name) for name in ("json", "torch", "PIL", "yaml", "ts", "vertex_torchserve"))
    assert not any(image.has(name) for name in ("torchvision", "cv2", "pkg_resources", "pytest", "handler"))
    assert image.owners["PIL"] == "pillow"
    assert image.has("sentencepiece")


def test_the_gpu_image_has_what_its_torch_brings() -> None:
    cpu, gpu = of_our_images(), of_our_images("gpu")
    assert set(gpu.owners) - set(cpu.owners) == {"cuda", "nvidia", "triton"}
    assert not set(cpu.owners) - set(gpu.owners)
    assert gpu.versions == {**cpu.versions, "torch": "2.13.0+cu126", "triton": "3.7.1"}
    assert gpu.torch_index == "https://download.pytorch.org/whl/cu126"


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("source.spm", "the tokenizer of Marian takes sentencepiece<0.2.3, which another image lacks"),
        ("spiece.model", "takes sentencepiece<0.2.3 and protobuf, which another image lacks"),
    ],
)
def test_another_image_may_lack_what_ours_have(member: str, said: str) -> None:
    ours = of_our_images()
    versions = {
        name: version for name, version in ours.versions.items() if name not in ("sentencepiece", "protobuf")
    }
    other = dataclasses.replace(ours, name="another image", versions=versions)
    members = dict.fromkeys(("config.json", member), b"{}")
    found = list(model_libraries.check(Subject(FilesView("folder", {}, members), other)))
    assert [each.where for each in found] == [member]
    assert said in found[0].message
    assert list(model_libraries.check(Subject(FilesView("folder", {}, members), ours))) == []


def test_torch_judges_a_pickle_as_its_list_does() -> None:
    """The list is torch's own: its public function accepts each of the names, and nothing else."""
    serialization = pytest.importorskip("torch.serialization")
    accepted = of_our_images().unpickled
    assert {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch.FloatStorage"} < accepted
    named = [*sorted(accepted), "os.system", "torch.nn.modules.linear.Linear"]
    pickle = b"".join(f"c{name.rpartition('.')[0]}\n{name.rpartition('.')[2]}\n".encode() for name in named)
    file = io.BytesIO(torch_zip(b"\x80\x02" + pickle + b"N."))
    unsafe = serialization.get_unsafe_globals_in_checkpoint(file)
    assert sorted(unsafe) == ["os.system", "torch.nn.modules.linear.Linear"]


def _imported(module: str, folder: Path) -> set[str]:
    """What a handler of TorchServe imports at its top, with what the modules beside it import."""
    found: set[str] = set()
    source = PythonSource.read(module, (folder / f"{module}.py").read_bytes())
    for each in source.imports():
        if each.is_guarded or not each.is_certain:
            continue
        root = each.module.partition(".")[0]
        beside = each.module.rpartition(".")[2]
        if (each.level == 1 or each.module.startswith("ts.torch_handler.")) and (
            folder / f"{beside}.py"
        ).is_file():
            found |= _imported(beside, folder)
        elif not each.level:
            found.add(root)
    return found


@pytest.mark.parametrize("handler", sorted(TORCHSERVE_HANDLERS))
def test_the_libraries_of_torchserve_s_handlers_are_those_that_they_import(handler: str) -> None:
    spec = importlib.util.find_spec("ts")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "torch_handler"
    image = of_our_images()
    missing = {name for name in _imported(handler, folder) if not image.has(name)}
    assert missing == set(LIBRARIES[handler])


def test_every_handler_of_torch_model_archiver_is_known() -> None:
    model_packaging = importlib.import_module("model_archiver.model_packaging_utils")
    assert set(model_packaging.model_handlers) <= TORCHSERVE_HANDLERS
