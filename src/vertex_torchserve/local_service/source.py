"""What is served: an archive, or a model folder that is packaged first."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.model_archive.members import files_below

# Time of the last change, in ns, and size of each file.
FileState = Mapping[Path, tuple[int, int]]


@dataclass(frozen=True)
class Source:
    """An archive, or a model folder.

    Attributes:
        path: A .mar, or a folder.
        handler: For a folder, as `package --handler` takes it; found by what lies there when None.
        task: For a folder, as `package --task` takes it.
    """

    path: Path
    handler: str | None = None
    task: str | None = None

    def archive(self, folder: Path) -> Path:
        """The archive to serve.

        Args:
            folder: Where one is made.

        Raises:
            InputError: There is no such file or folder, or it can't be packaged.
        """
        if not self.path.is_dir():
            if self.handler or self.task:
                raise InputError(
                    Problem(
                        f"--handler or --task with {self.path}, which is no folder",
                        "an archive has its handler: leave them out, or give the model folder",
                    )
                )
            return self.path
        spec = ModelArchiveSpec(self.path, self._handler(), task=self.task)
        return build_model_archive(spec, folder, force=True).mar_path

    def state(self) -> FileState:
        """The files it is made of as they are now: what packaging takes, and the handler's own file.

        Two states differ when a file came, went or was written; that one was read, linked or copied does not
        count, nor do hidden files: editors write them while a text is open.
        """
        named = [path for part in (self.handler or "").split(":") if (path := Path(part)).is_file()]
        shown = [path for _, path in files_below(self.path) if not path.name.startswith(".")]
        state = {}
        for path in [*named, *shown]:
            with suppress(FileNotFoundError):  # it went while this looked
                found = path.stat()
                state[path.absolute()] = (found.st_mtime_ns, found.st_size)
        return state

    def _handler(self) -> str:
        if self.handler:
            return self.handler
        if (self.path / "handler.py").is_file():
            return str(self.path / "handler.py")
        if (self.path / "config.json").is_file():
            return "huggingface"
        raise InputError(
            Problem(
                f"{self.path} holds no handler.py, and no config.json of a Hugging Face model",
                "say with --handler what serves it, as `vertex-torchserve package --handler` takes it",
            )
        )
