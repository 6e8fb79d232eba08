"""The component's inputs, and everything that can be wrong with them before any work is done."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from typing import Any

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.model_archive.handler_source import REFERENCE_HANDLER, TORCHSERVE_HANDLERS
from vertex_torchserve.model_archive.spec import (
    DEFAULT_HANDLER,
    DEFAULT_MODEL_NAME,
    DEFAULT_VERSION,
    name_problems,
)
from vertex_torchserve.vertex_ai import ModelUpload, upload_problems
from vertex_torchserve.vertex_ai.prebuilt_containers import DEFAULT_IMAGE_URI
from vertex_torchserve.vertex_ai.serving_container import HEALTH_ROUTE, ServingContainer, predict_route_of


@dataclass(frozen=True)
class ComponentInputs:
    """The inputs as the component's table names them (component/README.md); empty means not given."""

    project_id: str
    location: str
    gcs_model_path: str
    local_model_file: str
    model_display_name: str
    model_name: str = DEFAULT_MODEL_NAME
    version: str = DEFAULT_VERSION
    extra_files_to_ignore: Sequence[str] = ()
    extra_files_staging_path: str = ""
    extra_prediction_files: str = ""
    handler: str = ""
    requirements: str = ""
    custom_tokenizer_path: str = ""
    custom_tokenizer_name: str = ""
    custom_container: bool = False
    serving_container_image_uri: str = DEFAULT_IMAGE_URI
    health_route: str = HEALTH_ROUTE
    predict_route: str = predict_route_of(DEFAULT_MODEL_NAME)
    serving_container_ports: Sequence[Any] = ()
    serving_environment_vars: Mapping[str, Any] = field(default_factory=dict)
    serving_container_args: Sequence[Any] = ()
    serving_container_command: Sequence[Any] = ()
    model_description: str = ""
    parent_model: str = ""
    is_default_version: bool = False
    version_description: str = ""
    version_aliases: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    model_archive_path: str = ""
    smoke_test_instances: str = ""

    @classmethod
    def given(cls, **inputs: Any) -> "ComponentInputs":
        """From what KFP delivers, where an empty string and None mean that nothing was given."""
        required = {item.name for item in fields(cls) if item.default is item.default_factory is MISSING}
        given: dict[str, Any] = {
            name: "" if value is None else value
            for name, value in inputs.items()
            if name in required or value not in (None, "")
        }
        return cls(**given)

    @property
    def handler_name(self) -> str:
        """The handler, `base_handler` when the input is blank."""
        return self.handler or DEFAULT_HANDLER

    @property
    def handler_is_staged(self) -> bool:
        """Whether the handler is a file of the staging folder."""
        return self.handler_name != REFERENCE_HANDLER and self.handler_name not in TORCHSERVE_HANDLERS

    @property
    def extra_file_names(self) -> list[str]:
        """The names in `extra_prediction_files`."""
        return [name.strip() for name in self.extra_prediction_files.split(",") if name.strip()]

    def container(self) -> ServingContainer:
        """How the model is to be served; an empty string means the default."""
        return ServingContainer(
            model_name=self.model_name,
            custom_container=self.custom_container,
            serving_container_image_uri=self.serving_container_image_uri or DEFAULT_IMAGE_URI,
            health_route=self.health_route or HEALTH_ROUTE,
            predict_route=self.predict_route or predict_route_of(self.model_name),
            serving_container_ports=self.serving_container_ports,
            serving_environment_vars=self.serving_environment_vars,
            serving_container_args=self.serving_container_args,
            serving_container_command=self.serving_container_command,
        )

    def upload(self, today: date) -> ModelUpload:
        """What to register.

        Args:
            today: For the choice of a prebuilt image.
        """
        return ModelUpload(
            project=self.project_id,
            location=self.location,
            display_name=self.model_display_name,
            description=self.model_description or None,
            parent_model=self.parent_model or None,
            is_default_version=self.is_default_version,
            version_description=self.version_description or None,
            version_aliases=self.version_aliases,
            labels=self.labels,
            **self.container().upload_fields(today),
        )

    def problems(self) -> list[Problem]:
        """Everything that is wrong, without looking at anything outside."""
        return [
            *self._model_problems(),
            *self._staging_problems(),
            *self.container().problems(),
            *upload_problems(self.upload(date.today())),
        ]

    def _model_problems(self) -> list[Problem]:
        problems = name_problems(self.model_name, self.version)
        if not self.local_model_file:
            problems.append(
                Problem("local_model_file is empty", "name the serialized file, such as pytorch_model.bin")
            )
        if self.handler_is_staged and not self.handler.partition(":")[0].endswith(".py"):
            problems.append(
                Problem(
                    f"handler {self.handler!r} is not a .py file; accepted are FILE.py, FILE.py:FUNCTION, "
                    f"`{REFERENCE_HANDLER}`, or one of {', '.join(sorted(TORCHSERVE_HANDLERS))}",
                    "correct the name of the handler",
                )
            )
        if self.requirements and not self.custom_container:
            problems.append(
                Problem(
                    f"requirements {self.requirements!r} with a prebuilt container, which installs none",
                    "use custom_container=True with an image that sets install_py_dep_per_model=true",
                )
            )
        return problems

    def _staging_problems(self) -> list[Problem]:
        problems: list[Problem] = []
        for name in (
            "gcs_model_path",
            "extra_files_staging_path",
            "custom_tokenizer_path",
            "model_archive_path",
        ):
            value = getattr(self, name)
            if value or name == "gcs_model_path":
                problems.extend(_path_problems(name, value))
        from_staging = {
            "handler": self.handler if self.handler_is_staged else "",
            "requirements": self.requirements,
            "extra_prediction_files": self.extra_prediction_files,
            "smoke_test_instances": self.smoke_test_instances,
        }
        problems.extend(
            Problem(
                f"{name} {value!r} is given, but no extra_files_staging_path to take it from",
                "give the gs:// folder that holds it as extra_files_staging_path",
            )
            for name, value in from_staging.items()
            if value and not self.extra_files_staging_path
        )
        if self.custom_tokenizer_name and not self.custom_tokenizer_path:
            problems.append(
                Problem(
                    f"custom_tokenizer_name {self.custom_tokenizer_name!r} without a custom_tokenizer_path",
                    "give the gs:// path of the tokenizer, or of the folder that holds it",
                )
            )
        return problems


def _path_problems(name: str, value: str) -> list[Problem]:
    try:
        GcsPath.parse(value)
    except InputError as error:
        return [Problem(f"{name}: {problem.message}", problem.fix) for problem in error.problems]
    return []
