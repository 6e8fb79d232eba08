"""The table of checks, in the order in which they are made.

Those that start servers of their own come after the one that stops the first: there is never more than one,
which may need most of the memory.
"""

import importlib

from vertex_torchserve.conformance import checks
from vertex_torchserve.conformance.check import Check
from vertex_torchserve.conformance.checks.bodies.empty_body import empty_body
from vertex_torchserve.conformance.checks.bodies.error_body import error_body
from vertex_torchserve.conformance.checks.bodies.malformed_json import malformed_json
from vertex_torchserve.conformance.checks.bodies.no_instances import no_instances
from vertex_torchserve.conformance.checks.bodies.not_a_request import not_a_request
from vertex_torchserve.conformance.checks.bodies.survives_bad_bodies import survives_bad_bodies
from vertex_torchserve.conformance.checks.load.health_under_load import health_under_load
from vertex_torchserve.conformance.checks.load.slow_clients import slow_clients
from vertex_torchserve.conformance.checks.predictions.answers_as_json import answers_as_json
from vertex_torchserve.conformance.checks.predictions.batch_of_64 import batch_of_64
from vertex_torchserve.conformance.checks.predictions.json_content_types import json_content_types
from vertex_torchserve.conformance.checks.predictions.one_prediction_an_instance import (
    one_prediction_an_instance,
)
from vertex_torchserve.conformance.checks.predictions.other_content_types import other_content_types
from vertex_torchserve.conformance.checks.predictions.parameters_optional import parameters_optional
from vertex_torchserve.conformance.checks.predictions.predictions_out import predictions_out
from vertex_torchserve.conformance.checks.routes.other_methods import other_methods
from vertex_torchserve.conformance.checks.routes.unknown_routes import unknown_routes
from vertex_torchserve.conformance.checks.sizes.body_beyond_10_mb import body_beyond_10_mb
from vertex_torchserve.conformance.checks.sizes.body_of_1_5_mb import body_of_1_5_mb
from vertex_torchserve.conformance.checks.sizes.body_of_10_mb import body_of_10_mb
from vertex_torchserve.conformance.checks.start.becomes_ready import becomes_ready
from vertex_torchserve.conformance.checks.start.listens_in_time import listens_in_time
from vertex_torchserve.conformance.checks.start.ready_means_ready import ready_means_ready
from vertex_torchserve.conformance.checks.stop.answers_on_sigterm import answers_on_sigterm
from vertex_torchserve.conformance.checks.stop.ends_on_sigterm import ends_on_sigterm
from vertex_torchserve.conformance.checks.surroundings.no_network import no_network
from vertex_torchserve.conformance.checks.surroundings.random_user import random_user
from vertex_torchserve.conformance.checks.surroundings.read_only_root import read_only_root
from vertex_torchserve.conformance.checks.variables.health_route_from_aip import health_route_from_aip
from vertex_torchserve.conformance.checks.variables.port_from_aip import port_from_aip
from vertex_torchserve.conformance.checks.variables.predict_route_from_aip import predict_route_from_aip

CHECKS: tuple[Check, ...] = (
    listens_in_time,
    becomes_ready,
    ready_means_ready,
    predictions_out,
    one_prediction_an_instance,
    parameters_optional,
    batch_of_64,
    json_content_types,
    answers_as_json,
    other_content_types,
    empty_body,
    malformed_json,
    not_a_request,
    no_instances,
    error_body,
    survives_bad_bodies,
    unknown_routes,
    other_methods,
    body_of_1_5_mb,
    body_of_10_mb,
    body_beyond_10_mb,
    health_under_load,
    slow_clients,
    answers_on_sigterm,
    ends_on_sigterm,
    port_from_aip,
    health_route_from_aip,
    predict_route_from_aip,
    random_user,
    read_only_root,
    no_network,
)


def title_of(group: str) -> str:
    """What the checks of a group are about, in words: their folder's docstring."""
    return (importlib.import_module(f"{checks.__name__}.{group}").__doc__ or "").rstrip(".")
