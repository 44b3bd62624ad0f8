"""YAML and JSON text -> documents in which every key stands once."""

from __future__ import annotations

import json
import sys
from typing import Any

import yaml


class DocumentError(ValueError):
    """Text that is no document; the message says where and why."""


def parse_document(text: str, *, is_json: bool = False) -> Any:
    """The document that `text` holds.

    Both formats let a later key silently replace an earlier one; a user's document may not.

    Raises:
        DocumentError: not YAML or JSON (with line and column), or a key that is given twice.
    """
    try:
        if is_json:
            return json.loads(text, object_pairs_hook=_object)
        return _yaml_document(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DocumentError(f"broken JSON at {where}: {error.msg}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "an unknown place"
        raise DocumentError(f"broken YAML at {where}: {error.problem}") from None
    except DocumentError:
        raise
    except ValueError as error:
        # Python reads no integer of thousands of digits; YAML has dates, and not all are in the
        # calendar.
        most = sys.get_int_max_str_digits()
        why = f"an integer has more than {most:,} digits" if _is_too_long(error) else str(error)
        raise DocumentError(f"broken {'JSON' if is_json else 'YAML'}: {why}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise DocumentError(f"broken {'JSON' if is_json else 'YAML'}: {error}") from None


def _is_too_long(error: ValueError) -> bool:
    return "integer string conversion" in str(error)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise DocumentError(f"broken JSON: the key {key!r} is given twice")
        found[key] = value
    return found


class _UniqueKeyLoader(yaml.SafeLoader):
    """Keys are text, and each is given once; `<<` merges other mappings in."""


_MERGE = "tag:yaml.org,2002:merge"
MOST_VALUES = 100_000
"""Values of a document once every alias stands for what it names; far more than any task has."""


def _yaml_document(text: str) -> Any:
    loader = _UniqueKeyLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        known: dict[int, int] = {}
        if _expanded(root, known, set()) > max(MOST_VALUES, len(known)):
            raise DocumentError(
                f"broken YAML: its aliases (*name) stand for more than {MOST_VALUES:,} values"
            )
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _expanded(node: yaml.Node, known: dict[int, int], under_way: set[int]) -> int:
    """Number of values that a node stands for, those behind aliases counted each time.

    Args:
        known: node -> its number; filled here, one entry for each node that is written.
        under_way: nodes around this one.
    """
    if id(node) in under_way:
        raise yaml.constructor.ConstructorError(
            None, None, "an alias contains itself", node.start_mark
        )
    if id(node) not in known:
        under_way.add(id(node))
        parts = node.value if isinstance(node, yaml.SequenceNode) else ()
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_expanded(part, known, under_way) for part in parts)
        under_way.remove(id(node))
    return known[id(node)]


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        is_merge = key_node.tag == _MERGE
        key = "<<" if is_merge else loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is not text", key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is given twice", key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
