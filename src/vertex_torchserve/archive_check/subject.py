"""What rules look at: an archive's members, and what follows from them, worked out once."""

import tarfile
import zipfile
import zlib
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from vertex_torchserve.archive_check.image_modules import ImageModules
from vertex_torchserve.archive_check.reading.handler_reference import HandlerReference
from vertex_torchserve.archive_check.reading.python_source import Fault, PythonSource
from vertex_torchserve.archive_check.reading.requirements_file import RequirementsFile
from vertex_torchserve.archive_check.reading.safetensors_file import SafetensorsFile
from vertex_torchserve.archive_check.reading.torch_file import Kind, TorchFile
from vertex_torchserve.archive_check.views.view import ArchiveView, MemberError
from vertex_torchserve.errors import InputError, Problem, VertexTorchServeError
from vertex_torchserve.serving.archive.bounded_text import UnreadableError, read_json
from vertex_torchserve.serving.archive.manifest import LARGEST_MANIFEST_BYTES, Manifest, parse_manifest
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME, MODEL_CONFIG_NAME
from vertex_torchserve.serving.archive.model_config import MOST_CONFIG_BYTES, ModelConfig, parse_model_config

_MOST_TEXT_BYTES = 4 << 20
# A compressed member up to this size is read to its end, where a zip in it has its directory.
_SMALL_BYTES = 32 << 20
_INFLATING = (zipfile.ZipExtFile, tarfile.ExFileObject)
# What trainers leave beside the model, and no handler loads.
_OF_TRAINING = (
    "training_args.bin",
    "optimizer.bin",
    "optimizer.pt",
    "rng_state.pth",
    "scaler.pt",
    "scheduler.pt",
)
_WEIGHTS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".jit", ".ts", ".torchscript")


class Subject:
    """An archive, or a folder that is to become one.

    Attributes:
        view: Its members.
        image: What the serving image can import.
        is_archive: Whether it is, or is to be, an archive: then it must have a manifest. A model folder has
            none.

    Args:
        view: The members.
        image: What the image has that is to serve it.
        is_archive: None finds it out: whatever holds a manifest.
    """

    def __init__(self, view: ArchiveView, image: ImageModules, is_archive: bool | None = None) -> None:
        self.view = view
        self.image = image
        self.is_archive = MANIFEST_NAME in view.sizes if is_archive is None else is_archive
        self._sources: dict[str, PythonSource] = {}
        self._torch_files: dict[str, TorchFile | None] = {}
        self._safetensors: dict[str, SafetensorsFile] = {}

    @property
    def names(self) -> Collection[str]:
        """The names of all members."""
        return self.view.sizes.keys()

    def holds(self, name: str) -> bool:
        """Whether there is a member of that name."""
        return name in self.view.sizes

    def text(self, name: str, most_bytes: int = _MOST_TEXT_BYTES) -> bytes:
        """A member's content, at most one byte more than `most_bytes` of it.

        Raises:
            MemberError: It can't be read.
        """
        with self.view.open(name) as file:
            try:
                return file.read(most_bytes + 1)
            except VertexTorchServeError:
                raise  # of the disk or the network
            except Exception as error:  # of the library that unpacks it
                raise MemberError(f"can't be read: {error}") from error

    def json(self, name: str) -> Mapping[str, Any]:
        """A member's JSON object; empty when there is none that can be read."""
        if not self.holds(name):
            return {}
        try:
            content = read_json(self.text(name), _MOST_TEXT_BYTES)
        except (UnreadableError, MemberError):
            return {}
        return content if isinstance(content, dict) else {}

    def python(self, name: str) -> PythonSource:
        """A member read as Python; one that can't be read has a fault."""
        if name not in self._sources:
            try:
                self._sources[name] = PythonSource.read(name, self.text(name))
            except MemberError as error:
                self._sources[name] = PythonSource(name, None, Fault(1, str(error)))
        return self._sources[name]

    @cached_property
    def manifest_or_problems(self) -> Manifest | tuple[Problem, ...] | None:
        """The manifest, or why it can't be read; None when there is none."""
        if not self.holds(MANIFEST_NAME):
            return None
        try:
            return parse_manifest(self.view.origin, self.text(MANIFEST_NAME, LARGEST_MANIFEST_BYTES))
        except InputError as error:
            return error.problems
        except MemberError as error:
            return (Problem(f"{MANIFEST_NAME} {error}", "copy or upload the archive again"),)

    @property
    def manifest(self) -> Manifest | None:
        """The manifest; None when there is none that can be read."""
        found = self.manifest_or_problems
        return found if isinstance(found, Manifest) else None

    @cached_property
    def handler(self) -> HandlerReference | None:
        """The handler that the manifest names; None without a manifest."""
        return HandlerReference.of(self.manifest.handler, self.names) if self.manifest else None

    @cached_property
    def adapted_handler(self) -> str | None:
        """The member that was written for another server, which the adapter calls; None without one."""
        settings = self.config.get("handler")
        if self.handler is None or self.handler.adapted is None or not isinstance(settings, Mapping):
            return None
        name = settings.get("file")
        return name if isinstance(name, str) and self.holds(name) else None

    @property
    def lone_modules(self) -> list[PythonSource]:
        """The files of handlers, where they are imported by themselves and not as parts of a package."""
        member = self.handler.member if self.handler else None
        own = member if self.handler and member == f"{self.handler.module}.py" else None
        found = [self.python(name) for name in (own, self.adapted_handler) if name]
        return [source for source in found if source.tree is not None]

    @property
    def module_folders(self) -> list[str]:
        """Where Python looks for the archive's modules, first things first: the beginnings of their names."""
        folder = (self.adapted_handler or "").rpartition("/")[0]
        return [f"{folder}/", ""] if folder else [""]

    @cached_property
    def handler_source(self) -> PythonSource | None:
        """The handler's source, when it is a file of the archive and is Python."""
        member = self.handler.member if self.handler else None
        source = self.python(member) if member else None
        return source if source is not None and source.tree is not None else None

    def reached_sources(self) -> list[str]:
        """The handler, and the archive's own Python files that it imports, directly or through others."""
        first = self.handler.member if self.handler else None
        waiting, reached = [name for name in (self.adapted_handler, first) if name], []
        while waiting:
            member = waiting.pop()
            if member in reached:
                continue
            reached.append(member)
            for each in self.python(member).imports():
                package = PurePosixPath(member).parts[: -each.level] if each.level else ()
                waiting.extend(self._files_of(".".join([*package, each.module]).strip(".")))
        return reached

    def _files_of(self, module: str) -> list[str]:
        """The archive's files that run when a module is imported: it, and the packages around it."""
        parts = module.split(".")
        paths = [
            folder + "/".join(parts[:count])
            for folder in self.module_folders
            for count in range(1, len(parts) + 1)
        ]
        return [name for path in paths for name in (f"{path}.py", f"{path}/__init__.py") if self.holds(name)]

    @property
    def by_reference_handler(self) -> bool:
        """Whether the reference handler serves it, as it is thought to do a model folder."""
        return not self.is_archive or (self.handler is not None and self.handler.is_reference)

    @property
    def config_name(self) -> str | None:
        """The member that TorchServe takes as its configuration of the model; None when there is none."""
        if self.manifest is not None:
            name = self.manifest.config_file
        else:
            name = None if self.is_archive else MODEL_CONFIG_NAME
        return name if name and self.holds(name) else None

    @cached_property
    def config_or_problems(self) -> ModelConfig | tuple[Problem, ...]:
        """The model's configuration, an empty one when there is none, or why it can't be read."""
        name = self.config_name
        if name is None:
            return ModelConfig()
        try:
            return parse_model_config(self.text(name, MOST_CONFIG_BYTES), name)
        except InputError as error:
            return error.problems
        except MemberError as error:
            return (Problem(f"{name} {error}", "copy or upload the archive again"),)

    @property
    def config(self) -> Mapping[str, Any]:
        """The content of the model's configuration; empty when there is none that can be read."""
        found = self.config_or_problems
        return found.content if isinstance(found, ModelConfig) else {}

    @cached_property
    def requirements(self) -> RequirementsFile:
        """The requirements that are installed; without lines when there are none."""
        name = self.manifest.requirements_file if self.manifest else None
        if name is None and not self.is_archive:
            name = "requirements.txt"
        if name is None or not self.holds(name):
            return RequirementsFile.empty()
        try:
            return RequirementsFile.read(name, self.text(name))
        except MemberError as error:
            return RequirementsFile(name, (), str(error))

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """The top-level modules that Python finds in the archive, each with a member it comes from.

        A folder without `__init__.py` counts when it holds Python files: it is a namespace package.
        """
        found: dict[str, str] = {}
        for folder in self.module_folders:
            for name in sorted(self.names):
                path = PurePosixPath(name.removeprefix(folder))
                if name.startswith(folder) and path.suffix == ".py":
                    found.setdefault(path.parts[0] if len(path.parts) > 1 else path.stem, name)
        return found

    def weights(self, *suffixes: str) -> list[str]:
        """The serialized file, and the members at the root that have an ending of weights."""
        wanted = suffixes or _WEIGHTS
        found = [name for name in self.names if "/" not in name and name.endswith(wanted)]
        named = self.serialized_file
        return [*found, named] if named and not suffixes and named not in found else found

    def pickled_weights(self) -> list[str]:
        """Those of them that torch may have pickled."""
        others = (".safetensors", ".onnx", ".so", *_OF_TRAINING)
        return [name for name in self.weights() if not name.endswith(others)]

    def torch_file(self, name: str) -> TorchFile | None:
        """What kind of file torch has written; None when it can't be read."""
        if name not in self._torch_files:
            self._torch_files[name] = self._read_torch_file(name)
        return self._torch_files[name]

    def _read_torch_file(self, name: str) -> TorchFile | None:
        try:
            with self.view.open(name) as file:
                can_seek = not isinstance(file, _INFLATING) or self.view.sizes[name] <= _SMALL_BYTES
                return TorchFile.read(file, can_seek)
        except (MemberError, OSError, EOFError, zlib.error, zipfile.BadZipFile):
            return None

    def is_pointer(self, name: str) -> bool:
        """Whether a member is a pointer of Git LFS."""
        file = self.torch_file(name)
        return file is not None and file.kind is Kind.LFS_POINTER

    def safetensors(self, name: str) -> SafetensorsFile:
        """The header of a safetensors file."""
        if name not in self._safetensors:
            try:
                with self.view.open(name) as file:
                    self._safetensors[name] = SafetensorsFile.read(file, self.view.sizes[name])
            except (MemberError, OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
                self._safetensors[name] = SafetensorsFile({}, f"can't be read: {error}")
        return self._safetensors[name]

    @property
    def serialized_file(self) -> str | None:
        """The member that the manifest names as the serialized model; None when there is none."""
        name = self.manifest.serialized_file if self.manifest else None
        return name if name and self.holds(name) else None
