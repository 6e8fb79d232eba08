"""Lists: filter, order and pages, as far as the documented list filters go.

Documented (ListModelsRequest, ListEndpointsRequest): `=` and `!=` on the id and the display name,
`labels.key=value`, `labels.key:*` and `labels:key`, field names in snake_case and camelCase. Several
terms are joined by `AND`; `OR` is not emulated. `base_model_name=` is for models and endpoints, the other
documented fields of batch prediction jobs (JobService) are not emulated.
"""

import re
from collections.abc import Callable, Iterable

from vertex_torchserve.emulator.rest.names import camel_case, resource_id
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import invalid, not_emulated

_DEFAULT_PAGE = 100
_TERM = re.compile(
    r"""\s*(?P<field>\w+)(?:\.(?P<key>"[^"]+"|[^\s=!:"]+))?\s*(?P<sign>!=|=|:)\s*(?P<value>"[^"]*"|[^\s"]+)\s*"""
)
_JOIN = re.compile(r"(AND|OR)\s")

Test = Callable[[Json], bool]
# What Google documents for a filter on jobs, beside what is emulated.
_DOCUMENTED_ONLY = {"modelDisplayName", "createTime", "updateTime"}


def page(
    resources: Iterable[Json],
    query: Json,
    *,
    collection: str,
    id_field: str,
    base_models: Callable[[Json], set[str]] | None = None,
) -> Json:
    """One page of a list.

    Args:
        resources: Everything there is.
        query: `filter`, `orderBy`, `pageSize`, `pageToken` of the request.
        collection: The key of the answer, such as `models`.
        id_field: The name under which a filter knows the id, such as `model`.
        base_models: The names of a resource's base models, where a filter may ask for them.

    Returns:
        `{collection: [...], "nextPageToken": ...}`.

    Raises:
        RpcError: INVALID_ARGUMENT for a filter or a page that can't be read.
    """
    tests = _tests(query.get("filter", ""), id_field, base_models)
    found = [resource for resource in resources if all(test(resource) for test in tests)]
    for term in reversed([term.split() for term in query.get("orderBy", "").split(",") if term.strip()]):
        found.sort(key=_sort_key(camel_case(term[0])), reverse=term[1:] == ["desc"])
    try:
        start, size = int(query.get("pageToken", 0)), query.get("pageSize", _DEFAULT_PAGE)
        if start < 0 or size < 0:
            raise ValueError
    except ValueError:
        raise invalid(
            f"pageSize {query.get('pageSize')!r}, pageToken {query.get('pageToken')!r}: a size is 0 (the "
            "default) or more, a token one that this emulator gave."
        ) from None
    answer: Json = {collection: found[start : start + size]}
    if start + size < len(found):
        answer["nextPageToken"] = str(start + size)
    return answer


def _sort_key(field: str) -> Callable[[Json], str]:
    return lambda resource: str(resource.get(field, ""))


def _tests(expression: str, id_field: str, base_models: Callable[[Json], set[str]] | None) -> list[Test]:
    tests: list[Test] = []
    rest = expression
    while rest.strip():
        term = _TERM.match(rest)
        if not term:
            raise invalid(f"filter {expression!r} can't be read at {rest!r}.")
        tests.append(_test(term, id_field, base_models))
        rest = rest[term.end() :]
        join = _JOIN.match(rest)
        if rest and not join:
            raise invalid(f"filter {expression!r} can't be read at {rest!r}.")
        if join:
            if join[1] == "OR":
                raise not_emulated("OR in a filter")
            rest = rest[join.end() :]
    return tests


def _test(term: re.Match[str], id_field: str, base_models: Callable[[Json], set[str]] | None) -> Test:
    field, sign, value = camel_case(term["field"]), term["sign"], term["value"].strip('"')
    if field == "labels":
        return _label_test(term["key"], sign, value)
    if field == "baseModelName" and base_models:
        if sign != "=":
            raise invalid(f"filter on base_model_name with {sign!r}; = is accepted.")
        return lambda resource: value in base_models(resource)
    if base_models is None and field in _DOCUMENTED_ONLY:
        raise not_emulated(f"A filter on {term['field']}")
    if field not in {id_field, "displayName", "state"}:
        others = "base_model_name" if base_models else "state"
        raise invalid(
            f"filter on {term['field']!r}; {id_field}, display_name, {others} and labels are accepted."
        )
    if sign == ":":
        raise invalid(f"filter on {term['field']!r} with ':'; = and != are accepted.")

    def test(resource: Json) -> bool:
        found = resource_id(resource["name"]) if field == id_field else resource.get(field, "")
        return bool(found == value) == (sign == "=")

    return test


def _label_test(key: str | None, sign: str, value: str) -> Test:
    if sign == ":":
        name = key.strip('"') if key else value
        if key and value != "*":
            raise invalid(f"filter labels.{key}:{value}; labels.{key}:* is accepted.")
        return lambda resource: name in resource.get("labels", {})
    if not key:
        raise invalid("filter on labels; labels.KEY=VALUE, labels.KEY:* and labels:KEY are accepted.")
    name = key.strip('"')
    return lambda resource: (resource.get("labels", {}).get(name) == value) == (sign == "=")
