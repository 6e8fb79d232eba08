"""The files in which the storage emulator keeps its buckets: one index, and one file for each content.

Objects with the same content, such as an object and its copy, share its file.

The index says which content belongs to which object, and holds what gcp-storage-emulator calls its `.meta`.
A change writes new contents under new names, then replaces the index in one step: killed at any moment, the
folder holds the state before the change or after it. Objects' names never become names of files.
"""

import json
import secrets
from collections import Counter
from pathlib import Path
from typing import Any

from vertex_torchserve.emulator.durable_file import sync_folder, write_durably
from vertex_torchserve.emulator.storage.contents import Content
from vertex_torchserve.errors import InputError, Problem

META = ".meta"
_FORMAT = 1


class BlobFiles:
    """What gcp-storage-emulator's Storage asks of its file store; writing `.meta` makes all changes last.

    Args:
        folder: Where index and contents lie; made when missing.

    Raises:
        InputError: When the folder's index is not one of ours.
        OSError: When the folder can't be used.
    """

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index.json"
        self._folder = folder / "contents"
        self._folder.mkdir(parents=True, exist_ok=True)
        stored = self._read_index()
        self._meta: str | None = stored["meta"]
        self._files: dict[str, str] = stored["files"]
        self._uses = Counter(self._files.values())
        self._released: list[str] = []
        # Written by a process that was killed before it could put them into the index.
        for left in {path.name for path in self._folder.iterdir()} - set(self._files.values()):
            (self._folder / left).unlink()

    def makedirs(self, rel: str) -> None:
        """Nothing: folders are parts of names."""

    def new_file(self) -> Path:
        """The place for a content that is about to arrive; it is not made."""
        return self._folder / secrets.token_hex(16)

    def write_bytes(self, rel: str, content: bytes | Content) -> None:
        """Write a content, or name one that is there; it lasts from the next write of `.meta` on."""
        if isinstance(content, Content):
            sync_folder(self._folder)
            self._name(rel, content.path.name)
        elif rel == META:
            self._commit(content.decode())
        else:
            path = self.new_file()
            write_durably(path, content)
            self._name(rel, path.name)

    def discard(self, file: Path) -> None:
        """Remove the file of a content, unless something names it."""
        if not self._uses[file.name]:
            file.unlink(missing_ok=True)

    def read_bytes(self, rel: str) -> bytes:
        """The content last written.

        Raises:
            FileNotFoundError: When there is none.
        """
        if rel == META and self._meta is not None:
            return self._meta.encode()
        return self.content(rel).path.read_bytes()

    def content(self, rel: str) -> Content:
        """The content last written, unread.

        Raises:
            FileNotFoundError: When there is none.
        """
        if rel not in self._files:
            raise FileNotFoundError(rel)
        path = self._folder / self._files[rel]
        return Content(path, path.stat().st_size)

    def remove_file(self, rel: str) -> None:
        """Remove a content; it is gone for good from the next write of `.meta` on.

        Raises:
            FileNotFoundError: When there is none.
        """
        if rel not in self._files:
            raise FileNotFoundError(rel)
        self._release(rel)

    def remove_tree(self, rel: str) -> None:
        """Remove everything whose name lies beneath `rel`.

        Raises:
            FileNotFoundError: When there is nothing.
        """
        beneath = [name for name in self._files if name.startswith(f"{rel}/")]
        if not beneath:
            raise FileNotFoundError(rel)
        for name in beneath:
            self._release(name)

    def listdir(self, rel: str = "") -> list[str]:
        """The first parts of all names; of no folder but the root does the Storage ask."""
        return sorted({name.partition("/")[0] for name in self._files if name.startswith(rel)})

    def _name(self, rel: str, file: str) -> None:
        self._uses[file] += 1
        if rel in self._files:
            self._release(rel)
        self._files[rel] = file

    def _release(self, rel: str) -> None:
        file = self._files.pop(rel)
        self._uses[file] -= 1
        self._released.append(file)

    def _commit(self, meta: str) -> None:
        index = {"format": _FORMAT, "meta": meta, "files": self._files}
        write_durably(self._index, json.dumps(index).encode())
        self._meta = meta
        for file in self._released:
            if not self._uses[file]:
                del self._uses[file]
                (self._folder / file).unlink(missing_ok=True)
        self._released.clear()

    def _read_index(self) -> dict[str, Any]:
        if not self._index.exists():
            return {"meta": None, "files": {}}
        try:
            stored: dict[str, Any] = json.loads(self._index.read_bytes())
            if stored["format"] == _FORMAT and isinstance(stored["files"], dict):
                return stored
        except (ValueError, KeyError, TypeError):
            pass
        raise InputError(
            Problem(
                f"{self._index} is not the index of this storage emulator (format {_FORMAT})",
                "choose another --data-dir, or move the folder away",
            )
        )
