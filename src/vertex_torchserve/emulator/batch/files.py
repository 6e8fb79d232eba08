"""The files of a batch prediction job, JSONL, never held whole: instances in, predictions and errors out."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import RpcError, invalid
from vertex_torchserve.emulator.storage.growing_object import GrowingObject
from vertex_torchserve.emulator.storage.object_store import GcsUri, ObjectStore

_RESULTS = "prediction.results-00000-of-00001"
_ERROR_STATS = "prediction.errors_stats-00000-of-00001"
_ERRORS = "errors_0001.jsonl"


class Outcome:
    """What became of the instances so far: it is written to the job's folder as it comes.

    Args:
        store: Where to.
        folder: The gs:// folder of the job's output.

    Attributes:
        successful: How many instances were predicted.
        failed: How many weren't.
        first_error: The error, `{code, message}`, of the first of them.
    """

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self._store = store
        self._folder = GcsUri.parse(folder)
        self._files: dict[str, GrowingObject] = {}
        self._errors: Counter[tuple[int, str]] = Counter()
        self.successful = self.failed = 0
        self.first_error: Json | None = None

    def succeed(self, instances: list[object], predictions: list[object]) -> None:
        """Record the predictions of a group, one for each instance."""
        pairs = zip(instances, predictions, strict=True)
        self._write(_RESULTS, [{"instance": each, "prediction": prediction} for each, prediction in pairs])
        self.successful += len(instances)

    def fail(self, instances: list[object], error: RpcError) -> None:
        """Record an error as that of every instance of a group."""
        status = error.status_json()
        self._write(_ERRORS, [{"instance": instance, "error": status} for instance in instances])
        self._errors[status["code"], status["message"]] += len(instances)
        self.failed += len(instances)
        self.first_error = self.first_error or status

    def stats(self, total: int) -> Json:
        """The job's completionStats: 64-bit numbers are strings in JSON."""
        return {
            "successfulCount": str(self.successful),
            "failedCount": str(self.failed),
            "incompleteCount": str(total - self.successful - self.failed),
        }

    def close(self) -> None:
        """Complete the files: the results, and the errors when something failed."""
        self._write(_RESULTS, [])
        if self._errors:
            counted = [
                {"error": {"code": code, "message": message}, "count": count}
                for (code, message), count in self._errors.items()
            ]
            self._write(_ERROR_STATS, counted)
        for file in self._files.values():
            file.close()

    def _write(self, name: str, lines: list[Json]) -> None:
        if name not in self._files:
            self._files[name] = self._store.growing(self._folder.bucket, f"{self._folder.folder}{name}")
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        self._files[name].write(text.encode())


class Instances:
    """Every line of some files, one instance each; empty lines are passed over.

    They are read once to find what is wrong with them, and again when they are needed.

    Args:
        store: Where from.
        uris: gs:// addresses of files; a `*` at the end means every file that starts so.

    Attributes:
        count: How many there are.

    Raises:
        RpcError: NOT_FOUND for a file that isn't there; INVALID_ARGUMENT for a line that isn't JSON,
            or when there is no instance at all.
    """

    def __init__(self, store: ObjectStore, uris: list[str]) -> None:
        self._store = store
        self._sources: list[GcsUri] = []
        for uri in uris:
            source = GcsUri.parse(uri)
            names = [source.name]
            if uri.endswith("*"):
                names = store.names(source.bucket, source.name.removesuffix("*"))
            self._sources += [GcsUri(source.bucket, name) for name in names]
        self.count = sum(1 for _ in self)
        if not self.count:
            raise invalid(f"No instances in {', '.join(uris)}.")

    def __iter__(self) -> Iterator[object]:
        for bucket, name in self._sources:
            for number, line in enumerate(self._store.lines(bucket, name), start=1):
                if line.strip():
                    yield _instance(line, f"gs://{bucket}/{name}:{number}")

    def groups(self, size: int) -> Iterator[list[object]]:
        """The instances in order, `size` at a time."""
        instances = iter(self)
        while group := list(islice(instances, size)):
            yield group


def _instance(line: bytes, where: str) -> object:
    try:
        instance: object = json.loads(line)
    except ValueError:
        # The line is the user's data and stays out of messages.
        raise invalid(f"{where} is not JSON; one JSON value a line is accepted.") from None
    return instance
