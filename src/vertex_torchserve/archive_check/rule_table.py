"""The table of rules, in the order in which their findings are told."""

from vertex_torchserve.archive_check.rule import Rule
from vertex_torchserve.archive_check.rules.archive.archive_readable import archive_readable
from vertex_torchserve.archive_check.rules.archive.manifest_names_files import manifest_names_files
from vertex_torchserve.archive_check.rules.archive.manifest_readable import manifest_readable
from vertex_torchserve.archive_check.rules.archive.members_unpack import members_unpack
from vertex_torchserve.archive_check.rules.archive.names_differ_in_more_than_case import (
    names_differ_in_more_than_case,
)
from vertex_torchserve.archive_check.rules.archive.size_fits import size_fits
from vertex_torchserve.archive_check.rules.config.async_without_envelope import async_without_envelope
from vertex_torchserve.archive_check.rules.config.config_keys_known import config_keys_known
from vertex_torchserve.archive_check.rules.config.config_readable import config_readable
from vertex_torchserve.archive_check.rules.config.golden_request_readable import golden_request_readable
from vertex_torchserve.archive_check.rules.config.handler_settings_known import handler_settings_known
from vertex_torchserve.archive_check.rules.config.time_outs_positive import time_outs_positive
from vertex_torchserve.archive_check.rules.config.workers_whole import workers_whole
from vertex_torchserve.archive_check.rules.handler.async_handler import async_handler
from vertex_torchserve.archive_check.rules.handler.built_in_handler_libraries import (
    built_in_handler_libraries,
)
from vertex_torchserve.archive_check.rules.handler.folder_has_its_own_handler import (
    folder_has_its_own_handler,
)
from vertex_torchserve.archive_check.rules.handler.foreign_handler_functions import foreign_handler_functions
from vertex_torchserve.archive_check.rules.handler.handler_entry_point import handler_entry_point
from vertex_torchserve.archive_check.rules.handler.handler_imports import handler_imports
from vertex_torchserve.archive_check.rules.handler.handler_named import handler_named
from vertex_torchserve.archive_check.rules.handler.handler_reads_rows import handler_reads_rows
from vertex_torchserve.archive_check.rules.handler.handler_relative_import import handler_relative_import
from vertex_torchserve.archive_check.rules.handler.handler_syntax import handler_syntax
from vertex_torchserve.archive_check.rules.handler.module_hides_another import module_hides_another
from vertex_torchserve.archive_check.rules.model_files.model_described import model_described
from vertex_torchserve.archive_check.rules.model_files.model_libraries import model_libraries
from vertex_torchserve.archive_check.rules.model_files.onnx_file_there import onnx_file_there
from vertex_torchserve.archive_check.rules.model_files.tokenizer_there import tokenizer_there
from vertex_torchserve.archive_check.rules.requirements.requirements_from_an_index import (
    requirements_from_an_index,
)
from vertex_torchserve.archive_check.rules.requirements.requirements_keep_torch import requirements_keep_torch
from vertex_torchserve.archive_check.rules.requirements.requirements_named import requirements_named
from vertex_torchserve.archive_check.rules.requirements.requirements_pinned import requirements_pinned
from vertex_torchserve.archive_check.rules.requirements.requirements_readable import requirements_readable
from vertex_torchserve.archive_check.rules.requirements.requirements_resolve import requirements_resolve
from vertex_torchserve.archive_check.rules.requirements.torch_companions_from_its_index import (
    torch_companions_from_its_index,
)
from vertex_torchserve.archive_check.rules.weights.model_file_has_one_class import model_file_has_one_class
from vertex_torchserve.archive_check.rules.weights.pickle_holds_tensors_only import pickle_holds_tensors_only
from vertex_torchserve.archive_check.rules.weights.safetensors_whole import safetensors_whole
from vertex_torchserve.archive_check.rules.weights.shards_complete import shards_complete
from vertex_torchserve.archive_check.rules.weights.weights_of_the_handlers_kind import (
    weights_of_the_handlers_kind,
)
from vertex_torchserve.archive_check.rules.weights.weights_type import weights_type

RULES: tuple[Rule, ...] = (
    archive_readable,
    members_unpack,
    manifest_readable,
    manifest_names_files,
    names_differ_in_more_than_case,
    size_fits,
    handler_named,
    handler_syntax,
    handler_entry_point,
    handler_relative_import,
    handler_imports,
    module_hides_another,
    async_handler,
    handler_reads_rows,
    built_in_handler_libraries,
    folder_has_its_own_handler,
    foreign_handler_functions,
    weights_of_the_handlers_kind,
    pickle_holds_tensors_only,
    model_file_has_one_class,
    shards_complete,
    safetensors_whole,
    weights_type,
    model_described,
    tokenizer_there,
    onnx_file_there,
    model_libraries,
    config_readable,
    config_keys_known,
    workers_whole,
    time_outs_positive,
    handler_settings_known,
    async_without_envelope,
    golden_request_readable,
    requirements_readable,
    requirements_keep_torch,
    torch_companions_from_its_index,
    requirements_pinned,
    requirements_from_an_index,
    requirements_named,
    requirements_resolve,
)
