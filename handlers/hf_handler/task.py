"""The base of every task: how an instance is read, and how a batch of queries is answered."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch

from hf_handler.archive import Archive
from hf_handler.items import Item, Query
from hf_handler.media.files import from_base64, from_text, is_file
from hf_handler.packs import PackRunner
from hf_handler.schema import TEXT, Fields, Parameters, Refused, Schema, check, kind_of
from hf_handler.threads import ThreadShare


class Task:
    """What a task declares and does. Subclasses set the attributes and write `split`, `run` and `finish`.

    Attributes:
        fields: JSON Schema of each input; the first is what a bare instance means.
        required: Fields that must be there; the first alone by default.
        forms: Where fields can go together in several ways, each of them; `required` alone by default.
        media: Fields that hold files: they reach `split` as bytes.
        aliases: Other names of fields and parameters, to the name used here.
        parameters: JSON Schema of each parameter; a `default` in it fills a parameter that isn't sent.
        prediction: JSON Schema of one prediction.
        example: An instance; answered before the worker is ready.
        budget: Cost of one pack, where `max_batch_tokens` is not set and nothing measures it.
        budget_on_gpu: The same on a GPU; None: no other.
        shares_threads: Whether a pack is done soon enough to run on the cores of idle workers meanwhile.
        model: Of transformers; `load` sets it.
        full_name: The task's name as it was chosen: `translation_en_to_de` holds the languages.
        device: Where the model is, and inputs go.
        packs: Runs the items.

    Args:
        archive: The model folder.
        full_name: As above.
        threads: Cores of idle workers, which packs may use.
    """

    name: ClassVar[str]
    model: Any
    fields: ClassVar[Mapping[str, Schema]] = {"text": TEXT}
    required: ClassVar[tuple[str, ...]] = ()
    forms: ClassVar[tuple[tuple[str, ...], ...]] = ()
    media: ClassVar[tuple[str, ...]] = ()
    aliases: ClassVar[Mapping[str, str]] = {}
    parameters: ClassVar[Mapping[str, Schema]] = {}
    prediction: ClassVar[Schema] = {}
    example: ClassVar[Any] = "warm up"
    budget: ClassVar[int] = 512
    budget_on_gpu: ClassVar[int | None] = None
    shares_threads: ClassVar[bool] = False

    def __init__(self, archive: Archive, full_name: str, threads: ThreadShare) -> None:
        self.archive = archive
        self.full_name = full_name
        self.main = next(iter(self.fields))
        self.takes_text = self.fields[self.main] == TEXT and (self.main,) in self.ways()
        self.defaults: Parameters = {
            key: schema["default"] for key, schema in self.parameters.items() if "default" in schema
        }
        try:
            self.defaults = self.read_parameters(archive.settings.parameters)
        except Refused as error:
            raise ValueError(f"handler.parameters: {error}; fix: correct it in model-config.yaml") from None
        self.load()
        self.device: torch.device = self.model.device  # `handler.device_map` may have put it elsewhere
        budget = self.budget_on_gpu if self.device.type == "cuda" and self.budget_on_gpu else self.budget
        self.packs = PackRunner(archive.settings.max_batch_tokens or budget, threads, self.device)

    def load(self) -> None:
        """Set `model`, and what else the task needs of the archive.

        Raises:
            ValueError: The model isn't one for this task.
        """
        raise NotImplementedError

    # -- Reading --

    @classmethod
    def ways(cls) -> tuple[tuple[str, ...], ...]:
        """The sets of fields an instance may have at the least."""
        return cls.forms or (cls.required or (next(iter(cls.fields)),),)

    def read_parameters(self, parameters: Parameters) -> Parameters:
        """Check parameters and add the defaults of those not sent.

        Raises:
            Refused: One is unknown, or has another type or range.
        """
        if not parameters:
            return self.defaults
        for nest in {"generate_kwargs", "generation_parameters", "generate_parameters"} & parameters.keys():
            # How the pipelines and servers made of them take what is for `generate`.
            inner = check(parameters[nest], {"type": "object"}, nest)
            parameters = {key: value for key, value in parameters.items() if key != nest} | inner
        named = {self.aliases.get(key, key): value for key, value in parameters.items()}
        unknown = sorted(str(key)[:40] for key in named if key not in self.parameters)
        if unknown:
            accepted = ", ".join(self.parameters) or "none"
            raise Refused(f"unknown parameters: {', '.join(unknown)}; accepted: {accepted}")
        return self.defaults | {key: check(value, self.parameters[key], key) for key, value in named.items()}

    def read(self, instance: Any, parameters: Parameters) -> Query:
        """Read an instance in any of its spellings.

        Args:
            instance: The value of the main field, or an object: the fields by name, or `inputs` (their value
                or the main field's), beside them `parameters` or parameters by name.
            parameters: Those of the call; the instance's own win.

        Raises:
            Refused: It is something else.
        """
        if type(instance) is str and self.takes_text:  # the fast path
            return Query({self.main: check(instance, self.fields[self.main], self.main)},
                         self.read_parameters(parameters))  # fmt: skip
        content, own = self._take_apart(instance)
        fields: Fields = {}
        for key, value in content.items():
            name = self.aliases.get(key, key)
            if name in self.parameters and name not in self.fields:
                own = {**own, name: value}
            elif name in self.fields and name not in fields:
                if name in self.media or is_file(value):
                    value = self.open_media(value)  # noqa: PLW2901
                fields[name] = value if name in self.media else check(value, self.fields[name], name)
            else:
                raise Refused(self._shape(f"got {'twice' if name in fields else 'the unknown'} {key[:40]!r}"))
        if not any(all(name in fields for name in way) for way in self.ways()):
            raise Refused(self._shape(f"got {', '.join(fields) or 'none of them'}"))
        return Query(fields, self.read_parameters({**parameters, **own} if own else parameters))

    def _take_apart(self, instance: Any) -> tuple[Fields, Parameters]:
        """Return the fields by name, unchecked, and the instance's own parameters."""
        if is_file(instance) or not isinstance(instance, dict):
            return {self.main: instance}, {}
        content = dict(instance)
        own = content.pop("parameters", None)
        if own is None:
            own = {}
        if not isinstance(own, dict):
            raise Refused(f"parameters must be an object, got {kind_of(own)}")
        if "inputs" in content:
            inputs = content.pop("inputs")
            named = not is_file(inputs) and isinstance(inputs, dict)
            content = {**content, **(inputs if named else {self.main: inputs})}
        return content, own

    def _shape(self, problem: str) -> str:
        ways = ", or ".join(" and ".join(way) for way in self.ways())
        optional = [name for name in self.fields if not any(name in way for way in self.ways())]
        more = f" ({', '.join(optional)} optional)" if optional else ""
        return f"an object must have inputs, or {ways}{more}, and beside them only parameters; {problem}"

    def open_media(self, value: Any) -> bytes:
        """Return the bytes of a file: bytes, `{"b64": ...}`, `{"data": ...}` around either, or a text for it.

        Raises:
            Refused: It is something else, or a URL that the operator doesn't allow.
        """
        if isinstance(value, bytes | bytearray):
            return bytes(value)
        if isinstance(value, dict) and len(value) == 1:
            if "data" in value:
                return self.open_media(value["data"])
            if isinstance(value.get("b64"), str):
                return from_base64(value["b64"])
        if isinstance(value, str):
            return from_text(value, self.archive.settings.allowed_media_hosts)
        raise Refused(f'expected a file as {{"b64": "..."}}, got {kind_of(value)}')

    def is_one(self, inputs: list[Any]) -> bool:
        """Whether a list sent as `inputs` is one instance (a conversation), not many."""
        return False

    # -- Answering --

    def answer(self, queries: Sequence[Query], context: Any = None) -> None:
        """Give every query its `prediction` or its `failure`: split, run in packs, finish.

        Args:
            queries: Of all requests of the batch.
            context: TorchServe's, for tasks that stream.
        """
        work = self.split(queries)
        rows = iter(self.packs.run_all([item for items in work for item in items], self.run))
        for query, items in zip(queries, work, strict=True):
            results = [next(rows) for _ in items]
            query.failure = query.failure or next(
                (row for row in results if isinstance(row, Exception)), None
            )
            if query.failure is None:
                try:
                    query.prediction = self.finish(query, items, results)
                except Exception as error:  # a bug or a refusal: this query's alone
                    query.failure = error

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Return the items of each query. An unusable one gets a `failure` (`Refused`) and no items."""
        raise NotImplementedError

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Run items together; returns a row for each, in order, off the device. In inference mode."""
        raise NotImplementedError

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Return the prediction made of the rows of one query's items."""
        raise NotImplementedError

    def warm_up(self) -> None:
        """Prove that the model answers, and measure what is left to measure.

        Raises:
            Exception: Whatever the model failed with.
        """
        # A compiled model is compiled for one row, and again for any other number of them.
        for rows in (1, 2) if self.archive.settings.torch_compile else (1,):
            queries = [self.read(self.example, {}) for _ in range(rows)]
            self.answer(queries)
            for query in queries:
                if query.failure is not None:
                    raise query.failure
