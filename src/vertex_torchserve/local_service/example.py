"""What a served archive takes: its task, an example, its schemas, and the request as curl and Python."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vertex_torchserve.handler_interface.asking import UntoldError, ask_handler
from vertex_torchserve.serving.archive.golden_request import packed_golden_requests
from vertex_torchserve.serving_plan import ServingPlan


@dataclass(frozen=True)
class ServedModel:
    """A model, as somebody who asks it sees it.

    Attributes:
        name: The model's.
        url: Where predictions are posted.
        task: What the reference handler serves it for; empty for other handlers.
        instance: A real instance; None where nothing tells one.
        parameters: Of that instance.
        schemas: JSON Schemas of `instance`, `parameters` and `prediction`; empty for other handlers.
    """

    name: str
    url: str
    task: str = ""
    instance: Any = None
    parameters: Mapping[str, Any] | None = None
    schemas: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: ServingPlan, base_url: str) -> "ServedModel":
        """Of an archive: its golden request, else the example of its task."""
        url = f"{base_url}{plan.predict_route}"
        golden = packed_golden_requests(plan.mar_path)
        try:
            told = ask_handler(plan.mar_path)
        except UntoldError:
            told = None
        first = golden.requests[0] if golden else None
        return cls(
            name=plan.model_name,
            url=url,
            task=told.task if told else "",
            instance=first.instances[0] if first else told.example if told else None,
            parameters=first.parameters if first else None,
            schemas=told.schemas if told else {},
        )

    def curl(self) -> str:
        """A line for a shell that asks the model."""
        instances = [] if self.instance is None else [self.instance]
        body = {"instances": instances, **({"parameters": self.parameters} if self.parameters else {})}
        written = shlex.quote(json.dumps(body, ensure_ascii=False))
        return f"curl {self.url} -H 'Content-Type: application/json' -d {written}"
