"""The installed aiconfigurator: its version, what it knows, its manners. Imported when used."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.resources
import importlib.util
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from autotuner.errors import EngineError

PACKAGE, CORE = "aiconfigurator", "aiconfigurator_core"
INSTALL = "make aiconfigurator, or: pip install 'inference-autotuner[aiconfigurator]'"

_CONFIG_SUFFIX, _OTHER_SUFFIX = "_config.json", "_hf_quant_config.json"


def installed_version() -> str | None:
    """The package's version, without importing it; None where it is not installed."""
    if importlib.util.find_spec(CORE) is None:
        return None
    return _metadata_version()


@functools.cache
def _metadata_version() -> str:
    return importlib.metadata.version(PACKAGE)


def require_installed() -> None:
    """Raises EngineError where it is not installed."""
    if installed_version() is None:
        raise EngineError("aiconfigurator is not installed", remedy=INSTALL)


@functools.cache
def known_names() -> frozenset[str]:
    """The models whose configuration it carries."""
    names = (path.name for path in (_folder() / "model_configs").glob(f"*{_CONFIG_SUFFIX}"))
    return frozenset(
        name.removesuffix(_CONFIG_SUFFIX).replace("--", "/")
        for name in names
        if not name.endswith(_OTHER_SUFFIX)
    )


@functools.cache
def known_systems() -> frozenset[str]:
    """The devices that it describes."""
    files = (_folder() / "systems").glob("*.yaml")
    return frozenset(path.stem for path in files if "\ngpu:" in path.read_text("utf-8"))


@functools.cache
def query_versions(system: str, engine: str) -> tuple[str, ...]:
    """Versions of the engine that may be asked for, its default first.

    Of a version that is announced for all systems and has no data of its own on this one, it
    answers with the numbers of an older version, 300 times slower; it is left out.
    """
    from aiconfigurator_core.sdk.perf_database import get_version_slots

    default, *more = dict.fromkeys((get_version_slots(system, engine) or {}).values()) or (None,)
    if default is None:
        return ()
    data = _folder() / "systems" / "data" / system
    return (default, *(version for version in more if any(data.glob(f"*/{engine}/{version}"))))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps its log and its warnings off the terminal; handlers set on its own loggers still hear.

    Only its two loggers are cut off from the rest, and put back as they were.
    """
    loggers = [logging.getLogger(name) for name in (PACKAGE, CORE)]
    before = [logger.propagate for logger in loggers]
    silence = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(silence)
        logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, propagated in zip(loggers, before, strict=True):
            logger.removeHandler(silence)
            logger.propagate = propagated


def reason(error: Exception) -> str:
    """The first line of an error of its, without the folders of this installation."""
    lines = str(error).strip().splitlines() or [""]
    kind = "" if isinstance(error, ValueError | RuntimeError) else f"{type(error).__name__}: "
    return kind + re.sub(r"\S*/systems/", "", lines[0])[:300]


def _folder() -> Path:
    require_installed()
    return Path(str(importlib.resources.files(CORE)))
