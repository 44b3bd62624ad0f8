"""The JSON Schema of task documents, with what forms need of each field under keys that begin with
`x-`: derived from the models and the engines' tables, and from `task_fields.yaml` where they cannot
tell."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from typing import Any

from autotuner.catalog import Gpu, ModelFacts
from autotuner.config import TaskConfig
from autotuner.config.extensions import LAUNCHERS
from autotuner.config.tables import packaged_table
from autotuner.engines import ENGINES, FIELDS, EngineTable
from autotuner.tuning.checks import NEVER_SEARCHED

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TASK = "task"
_ENGINE_ITSELF = ("system.backend", "system.backend_version")
"""Fields that need no flag and are searched all the same."""
_KINDS_OF_MODELS = (ModelFacts(experts=0), ModelFacts(experts=8))
_OWN = "bfloat16"
"""Format that needs no flag where a row is about the checkpoint's own format."""
Property = dict[str, Any]


def task_schema(gpu: Gpu | None = None) -> dict[str, Any]:
    """For editors, for forms, and for who checks a document before it is sent.

    Every field has `title`, `description`, `x-group`, `x-order` (within its group), `x-level`
    (`basic` or `advanced`), `x-searchable` and, where there are any, `x-unit`, `x-engines`,
    `x-engine-defaults` and `x-choices`; `x-groups` of the whole lists the groups.

    Args:
        gpu: on which engines take their defaults; an unknown one counts as small.
    """
    schema = TaskConfig.model_json_schema() | {"$schema": _DIALECT}
    orders: Counter[str] = Counter()
    for path, field in _fields(schema, schema, ""):
        group = path.partition(".")[0]
        group = group if group in _table()["groups"] else _TASK
        field |= {"title": _title(path), "x-group": group, "x-order": orders[group]}
        field |= {"x-level": "basic" if path in _table()["basic"] else "advanced"}
        field |= {"x-searchable": _is_searchable(path)}
        field |= _optional_keys(path, field, gpu)
        orders[group] += 1
    schema["x-groups"] = [
        {"name": name, "title": title, "description": _description(name, schema)}
        for name, title in _table()["groups"].items()
    ]
    return schema


@functools.cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = packaged_table("autotuner.report", "task_fields")
    return table


def _fields(
    part: dict[str, Any], schema: dict[str, Any], place: str
) -> Iterator[tuple[str, Property]]:
    """Every field with its dotted path, those of parts after the part itself."""
    for name, field in part.get("properties", {}).items():
        path = f"{place}{name}"
        yield path, field
        inner = _part(field, schema)
        if inner is not None:
            yield from _fields(inner, schema, f"{path}.")


def _part(field: Property, schema: dict[str, Any]) -> dict[str, Any] | None:
    """The definition that a field is, alone or beside null."""
    forms = [field, *field.get("allOf", ()), *field.get("anyOf", ())]
    names = [form["$ref"].rpartition("/")[2] for form in forms if "$ref" in form]
    return schema["$defs"][names[0]] if names else None


def _title(path: str) -> str:
    known = _table()["titles"].get(path) or _table()["groups"].get(path)
    if known:
        return str(known)
    name = path.rpartition(".")[2]
    for ending in _table()["endings"]:
        if ending in ("_ms", "_s"):
            name = name.removesuffix(ending)
    return name.replace("_", " ").capitalize()


def _description(group: str, schema: dict[str, Any]) -> str:
    field = schema["properties"].get(group)
    if field is None:
        return "Name, launcher and profiles of the task."
    inner = _part(field, schema) or {}
    return str(field.get("description") or inner.get("description") or "")


def _optional_keys(path: str, field: Property, gpu: Gpu | None) -> Property:
    keys: Property = {"x-unit": _unit(path), "x-choices": _choices(path, field)}
    if path in FIELDS:
        tables = {name: engine.table for name, engine in ENGINES.items()}
        keys["x-engines"] = [name for name, table in tables.items() if _expresses(table, path)]
        memory_gib = None if gpu is None else gpu.memory_gib
        defaults = {
            name: table.defaults | table.taken(None if gpu is None else gpu.name, memory_gib)
            for name, table in tables.items()
        }
        keys["x-engine-defaults"] = {
            name: values[path] for name, values in defaults.items() if path in values
        } or None
    return {key: value for key, value in keys.items() if value is not None}


def _unit(path: str) -> str | None:
    known = _table()["units"].get(path)
    endings = _table()["endings"].items()
    return known or next((unit for ending, unit in endings if path.endswith(ending)), None)


def _is_searchable(path: str) -> bool:
    """Whether a list of values makes candidates that differ."""
    if path not in FIELDS or path in NEVER_SEARCHED:
        return False
    has_flag = any(path in engine.table.rows for engine in ENGINES.values())
    return has_flag or path in _ENGINE_ITSELF


def _expresses(table: EngineTable, path: str) -> bool:
    if path in table.described:
        return True
    return any(table.row(path, table.version, facts) for facts in _KINDS_OF_MODELS)


def _choices(path: str, field: Property) -> Any:
    """Values to choose from: a list, the name of a list of the API, or lists by engine."""
    named = _table()["choices"].get(path)
    if named is not None:
        return named
    if path == "deployment_mode":
        return list(LAUNCHERS.installed)
    words = list(dict.fromkeys(_words(field)))
    if path not in FIELDS or not (words or _is_text(field)):
        return words or None
    by_engine = {name: _known(engine.table, path, words) for name, engine in ENGINES.items()}
    if not any(engine.table.rows.get(path) for engine in ENGINES.values()):
        return words or None
    values = {name: known for name, known in by_engine.items() if known}
    return {"by": "backend", "values": values} if values else None


def _known(table: EngineTable, path: str, words: list[str]) -> list[Any]:
    """The values of a field of words that an engine has words for."""
    if path in table.inexpressible:
        return list(table.inexpressible[path].neutral)
    rows = [row for facts in _KINDS_OF_MODELS if (row := table.row(path, table.version, facts))]
    found = [word for row in rows for word in row.known]
    found += [_OWN for row in rows if row.own is not None]
    if rows and not found:
        return words
    known = dict.fromkeys(found)
    return [word for word in words if word in known] if words else list(known)


def _words(field: Property) -> Iterator[str]:
    """The words of an enumeration, alone, in a list, or beside other forms."""
    yield from field.get("enum", ())
    if "const" in field:
        yield field["const"]
    for form in (*field.get("anyOf", ()), *field.get("oneOf", ())):
        yield from _words(form)
    if isinstance(field.get("items"), dict):
        yield from _words(field["items"])


def _is_text(field: Property) -> bool:
    forms = (*field.get("anyOf", ()), *field.get("oneOf", ()))
    return field.get("type") == "string" or any(map(_is_text, forms))
