"""The base of every task: how an instance is read, and how a batch of queries is answered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch

from hf_handler.allowance import UNLIMITED, Allowance
from hf_handler.archive import Archive
from hf_handler.bounds import REQUEST_ROWS
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.media.files import open_file
from hf_handler.packs import PackRunner
from hf_handler.postponing import Postponed
from hf_handler.request_forms.form import form_of
from hf_handler.schema import Parameters, Refused
from hf_handler.threads import ThreadShare


class Task:
    """What a task does. Subclasses declare `interface`, and write `split`, `run` and `finish`.

    Attributes:
        name: As transformers calls the pipeline.
        interface: What is taken and answered, with the bounds that an operator has set.
        budget: The most that a pack may cost, where `max_batch_tokens` is not set and nothing measures it.
        budget_on_gpu: The same on a GPU; None where it is no other.
        engines: What `handler.engine` may be.
        shares_threads: Whether packs may use the threads of idle workers. Not where a pack takes seconds: the
            others would be slow for requests that come before it ends.
        model: Of transformers; `load` sets it.
        full_name: The task's name as it was chosen: `translation_en_to_de` holds the languages.
        device: Where the model is, and inputs go.
        packs: Runs the items.

    Args:
        archive: The model folder.
        full_name: As above.
        threads: Cores of idle workers, which packs may use.

    Raises:
        ValueError: The settings are none for this task, or the model isn't.
    """

    name: ClassVar[str]
    model: Any
    interface: Interface
    budget: ClassVar[int] = 512
    budget_on_gpu: ClassVar[int | None] = None
    engines: ClassVar[tuple[str, ...]] = ("auto", "torch")
    shares_threads: ClassVar[bool] = False

    @classmethod
    def class_for(cls, archive: Archive) -> "type[Task]":
        """Return the class that answers for this task; where there are several, the one for the model."""
        return cls

    def __init__(self, archive: Archive, full_name: str, threads: ThreadShare) -> None:
        self.archive = archive
        self.full_name = full_name
        self.interface = type(self).interface.bounded(archive.settings)
        self.example = self.interface.example
        try:
            self.defaults = self.interface.read_parameters(
                archive.settings.parameters, self.interface.defaults
            )
        except Refused as error:
            raise ValueError(f"handler.parameters: {error}; fix: correct it in model-config.yaml") from None
        if archive.settings.engine not in self.engines:
            raise ValueError(
                f"handler.engine {archive.settings.engine} runs encoders, and {self.name} runs another kind "
                f"of model; accepted: {', '.join(self.engines)}; fix: remove it from model-config.yaml"
            )
        self.threads = threads
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

    def read(
        self,
        instance: Any,
        parameters: Parameters,
        allowance: Allowance = UNLIMITED,
        is_body: bool = False,
    ) -> Query:
        """Read an instance.

        Args:
            instance: As it was sent.
            parameters: Of the call.
            allowance: What its request may ask for.
            is_body: Whether the instance is the whole body of a request, which tells its form by its fields.

        Raises:
            Refused: It, or the parameters, can't be used, or its request asks for too much.
        """
        form = form_of(self.interface.request_forms, instance, is_body)
        asked = None if form is None else form.read(instance)
        query = self.interface.read(
            instance if asked is None else asked.instance, parameters, self.defaults, self.open_file
        )
        query.allowance = allowance
        query.reply = None if asked is None else asked.reply
        fields = self.interface.parted(query.fields, self.is_one)
        query.parts = [replace(query, fields=each) for each in fields]
        allowance.take(REQUEST_ROWS, max(0, len(query.parts) - 1))
        for each in query.parts or [query]:
            self.fit_to_model(each)
        return query

    def fit_to_model(self, query: Query) -> None:
        """Hold a query that was read against this model: refuse what it can't do, complete what it needs.

        Raises:
            Refused: The model can't do it.
        """

    def open_file(self, value: Any) -> bytes:
        """Return the bytes of a file that an instance holds.

        Raises:
            Refused: It is none, or a URL that the operator doesn't allow.
        """
        return open_file(value, self.archive.settings.allowed_media_hosts)

    def is_one(self, inputs: list[Any]) -> bool:
        """Whether a list sent as `inputs` is one instance (a conversation), not many."""
        return False

    # -- Answering --

    def answer(self, queries: Sequence[Query], context: Any = None) -> None:
        """Give every query its `prediction` or its `failure`: split, run in packs, finish.

        Args:
            queries: Of all requests of the batch; none has parts.
            context: TorchServe's, for tasks that stream.
        """
        work = self.planned(queries)
        failed = requests_of_failed(queries)
        rows = iter(self.packs.run_all([item for items in work for item in items], self.run))
        for query, items in zip(queries, work, strict=True):
            results = [next(rows) for _ in items]
            query.failure = query.failure or next(
                (row for row in results if isinstance(row, Exception)), None
            )
            if query.failure is None and query.request not in failed:
                try:
                    query.prediction = self.finish(query, items, results)
                except Exception as error:  # a bug or a refusal: this query's alone
                    query.failure = error

    def planned(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Return the items of each query, none where its request has failed."""
        work = self.split(queries)
        failed = requests_of_failed(queries)
        for query in queries:
            if query.failure is None and query.request not in failed and query.allowance.is_postponed():
                query.failure = Postponed()
        for query, items in zip(queries, work, strict=True):
            if query.failure is not None or query.request in failed:
                items.clear()
            for item in items:
                item.waiting = query.allowance.waiting
        return work

    def respond(self, query: Query) -> None:
        """Make the answer to an instance of the predictions of it, or of its parts."""
        toolkit = self.interface.toolkit if self.interface.answers_as_toolkit else None
        if query.parts:
            query.gather()
        if query.failure is not None:
            return
        if query.reply is not None:
            if query.rest is None:
                query.prediction = query.reply.whole(query.prediction, query.tokens)
        elif toolkit is not None:
            query.prediction = toolkit.several(query.prediction) if query.parts else toolkit.one(query)

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

    def share_threads(self) -> None:
        """Share cores with the other workers from now on: this one has loaded."""
        self.threads.loaded()


def requests_of_failed(queries: Sequence[Query]) -> set[int | None]:
    """Return the requests that an instance of has failed: nobody reads the answers of its others."""
    return {query.request for query in queries if query.failure is not None} - {None}
