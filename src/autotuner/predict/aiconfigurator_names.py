"""Our models, GPUs, engines and versions under aiconfigurator's names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from autotuner.catalog import known_model
from autotuner.predict.aiconfigurator_answer import Mode
from autotuner.predict.aiconfigurator_package import (
    PACKAGE,
    installed_version,
    known_names,
    known_systems,
)
from autotuner.predict.aiconfigurator_query import UnaskableError, asked_engines
from autotuner.predict.scenario import Scenario


def model_name(scenario: Scenario) -> str | None:
    """The first of the model's names that it knows, else ours where we know its configuration."""
    known = known_model(scenario.model)
    names = (scenario.model, *(known.names if known else ()))
    found = next((name for name in names if name in known_names()), None)
    return known.id if found is None and known and known.config else found


def system_name(scenario: Scenario) -> str | None:
    """Its name of the GPU."""
    names = (scenario.gpu.name, *scenario.gpu.aliases)
    return next((name for name in names if name in known_systems()), None)


def problem(scenario: Scenario) -> str | None:
    """Why it cannot be asked about the scenario; None where it can."""
    engines = asked_engines()
    if scenario.engine not in engines:
        return f"aiconfigurator does not know the engine {scenario.engine}, but {_all(engines)}"
    if system_name(scenario) is None:
        systems = _all(known_systems())
        return f"aiconfigurator does not know the device {scenario.gpu.name}, but {systems}"
    if model_name(scenario) is None:
        close = difflib.get_close_matches(scenario.model, known_names(), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"aiconfigurator does not know the model {scenario.model!r}{hint}"
    if scenario.osl < 2:
        return "aiconfigurator has no TPOT for a single output token"
    return None


def asked_names(scenario: Scenario) -> tuple[str, str]:
    """Its names of model and system.

    Raises:
        UnaskableError: it knows none.
    """
    model, system, why = model_name(scenario), system_name(scenario), problem(scenario)
    if why or model is None or system is None:
        raise UnaskableError(f"{why}; the roofline predictor answers for any")
    return model, system


def nearest_version(wanted: str | None, known: Sequence[str]) -> str | None:
    """The newest version that is not newer than `wanted`, else the oldest; the first for None."""
    if wanted is None or not known:
        return next(iter(known), None)
    older = [version for version in known if _version_key(version) <= _version_key(wanted)]
    return max(older, key=_version_key) if older else min(known, key=_version_key)


def _version_key(version: str) -> tuple[int, ...]:
    """Orders `1.3.0rc20` after `1.3.0rc9` and before `1.3.0`."""
    release, candidate, number = version.partition("rc")
    numbers = [int(part) for part in re.findall(r"\d+", release)][:3]
    padded = (*numbers, 0, 0, 0)[:3]
    pre = int(re.findall(r"\d+", number)[0]) if re.search(r"\d", number) else 0
    return (*padded, 0 if candidate else 1, pre)


def source(scenario: Scenario, version: str, mode: Mode) -> str:
    """What an answer stands on, as `Prediction.source` says it."""
    asked = scenario.engine_version
    instead = "" if asked in (None, version) else f", the nearest to {asked}"
    kernels = f"{scenario.engine} {version} on {scenario.gpu.name}{instead}"
    return f"{PACKAGE} {installed_version()} {mode}: {kernels}"


def _all(names: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names))
