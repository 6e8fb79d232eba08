"""The component's inputs as KFP delivers them, and what follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from typing import Any

from vertex_torchserve.model_archive.foreign_handler import split_foreign
from vertex_torchserve.model_archive.handler_source import REFERENCE_HANDLER, TORCHSERVE_HANDLERS
from vertex_torchserve.model_archive.spec import (
    DEFAULT_HANDLER,
    DEFAULT_MODEL_NAME,
    DEFAULT_VERSION,
)
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
from vertex_torchserve.resource_rules.prebuilt_containers import DEFAULT_IMAGE_URI
from vertex_torchserve.serving_plan import ContainerSpec, Probe
from vertex_torchserve.vertex_ai import ModelUpload
from vertex_torchserve.vertex_ai.serving_container import ServingContainer


@dataclass(frozen=True)
class ComponentInputs:
    """The inputs, named as in the table of component/README.md; empty means not given."""

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
    predict_route: str = ""  # the route of `model_name`
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
    model_file: str = ""
    vendor_wheels: str = ""
    serving_container_deployment_timeout: int = 0
    serving_container_shared_memory_size_mb: int = 0
    serving_container_startup_probe: Mapping[str, Any] = field(default_factory=dict)
    serving_container_health_probe: Mapping[str, Any] = field(default_factory=dict)
    serving_container_liveness_probe: Mapping[str, Any] = field(default_factory=dict)
    serving_container_grpc_ports: Sequence[Any] = ()
    invoke_route_prefix: str = ""
    service_account: str = ""
    encryption_spec_key_name: str = ""
    model_id: str = ""
    explanation_spec: Mapping[str, Any] = field(default_factory=dict)

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
        """Whether the handler is a file of the staging folder.

        One that was written for another server lies in the model's folder when there is no staging folder.
        """
        kind, _ = split_foreign(self.handler_name)
        if kind and not self.extra_files_staging_path:
            return False
        return self.handler_name != REFERENCE_HANDLER and self.handler_name not in TORCHSERVE_HANDLERS

    @property
    def handler_file(self) -> str:
        """The handler's file in the staging folder, without a function's name; empty when it has none."""
        _, named = split_foreign(self.handler_name)
        return named.partition(":")[0] if self.handler_is_staged else ""

    @property
    def extra_file_names(self) -> list[str]:
        """The names in `extra_prediction_files`; `FOLDER/` for the content of a folder."""
        return [name.strip() for name in self.extra_prediction_files.split(",") if name.strip()]

    @property
    def staged_names(self) -> list[tuple[str, str]]:
        """What is taken from the staging folder: the input that names it, and the name."""
        named = [
            ("handler", self.handler_file),
            ("requirements", self.requirements),
            ("smoke_test_instances", self.smoke_test_instances),
            ("model_file", self.model_file),
            *(("extra_prediction_files", name) for name in self.extra_file_names),
        ]
        return [(input_name, name) for input_name, name in named if name]

    def container(self) -> ServingContainer:
        """How the model is to be served."""
        return ServingContainer(
            model_name=self.model_name,
            custom_container=self.custom_container,
            serving_container_image_uri=self.serving_container_image_uri,
            health_route=self.health_route,
            predict_route=self.predict_route or predict_route_of(self.model_name),
            serving_container_ports=self.serving_container_ports,
            serving_environment_vars=self.serving_environment_vars,
            serving_container_args=self.serving_container_args,
            serving_container_command=self.serving_container_command,
        )

    def container_spec(self, today: date) -> ContainerSpec:
        """How it is registered, and proved.

        Args:
            today: Decides which prebuilt images still exist.
        """
        platform_fields = ContainerSpec(
            startup_probe=Probe.of(self.serving_container_startup_probe),
            health_probe=Probe.of(self.serving_container_health_probe),
            liveness_probe=Probe.of(self.serving_container_liveness_probe),
            invoke_route_prefix=self.invoke_route_prefix or None,
            grpc_ports=self.serving_container_grpc_ports,
            deployment_timeout=self.serving_container_deployment_timeout,
            shared_memory_size_mb=self.serving_container_shared_memory_size_mb,
        )
        return self.container().container_spec(today).with_platform_fields(platform_fields)

    def upload(self) -> ModelUpload:
        """What to register it as."""
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
            model_id=self.model_id or None,
            service_account=self.service_account or None,
            encryption_spec_key_name=self.encryption_spec_key_name or None,
            explanation_spec=self.explanation_spec,
        )
