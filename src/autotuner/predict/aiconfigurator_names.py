"""Our models, GPUs and engines under aiconfigurator's names."""

from __future__ import annotations

from autotuner.catalog import known_model
from autotuner.config import nearest
from autotuner.predict import aiconfigurator_host as host
from autotuner.predict.aiconfigurator_query import ENGINES, UnaskableError
from autotuner.predict.scenario import Scenario


def model_name(scenario: Scenario) -> str | None:
    """The first of the model's names that it knows, else ours where we know its configuration."""
    known = known_model(scenario.model)
    names = (scenario.model, *(known.names if known else ()))
    found = next((name for name in names if name in host.known_names()), None)
    return known.id if found is None and known and known.config else found


def system_name(scenario: Scenario) -> str | None:
    """Its name of the GPU."""
    names = (scenario.gpu.name, *scenario.gpu.aliases)
    return next((name for name in names if name in host.known_systems()), None)


def problem(scenario: Scenario) -> str | None:
    """Why it cannot be asked about the scenario; None where it can."""
    if scenario.engine not in ENGINES:
        return f"aiconfigurator does not know the engine {scenario.engine}, but {_all(ENGINES)}"
    if system_name(scenario) is None:
        systems = _all(host.known_systems())
        return f"aiconfigurator does not know the device {scenario.gpu.name}, but {systems}"
    if model_name(scenario) is None:
        hint = nearest(scenario.model, list(host.known_names()))
        return f"aiconfigurator does not know the model {scenario.model!r}; {hint}"
    if scenario.osl < 2:
        return "aiconfigurator tells no TPOT of a single output token"
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


def _all(names: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names))
