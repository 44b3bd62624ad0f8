"""Extensions that packages may add, by name: where the classes are, not what they do.

A kind of extension is a protocol of some room (`launch.protocol.Launcher`,
`measure.protocol.LoadGenerator`, `search.strategy.Strategy`, `predict.predictor.Predictor`). Ours
are listed here as `module:Class`; a package adds its own by entry points, each named as tasks are
to name it (`slurm = "package.module:Class"`). Every room that checks a name reads it here, and no
class is loaded for that.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Annotated, Any, overload

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from autotuner.config.document import nearest
from autotuner.errors import AutotunerError, LaunchError, MeasureError


class ExtensionPoint(Sequence[str]):
    """Names of the classes of one kind, read when they are asked for.

    As a Pydantic annotation it refuses other names, and lists them in JSON Schema.

    Args:
        noun: the kind, for messages.
        group: of the entry points by which packages add classes.
        own: name of each of ours -> `module:Class`; None for one that tasks may name and that is
            not installed.
        error: raised for a class that is not there.
        needs: name of one of ours -> the library that it needs, by its module and by our extra that
            brings it.
    """

    def __init__(
        self,
        noun: str,
        *,
        group: str,
        own: Mapping[str, str | None],
        error: type[AutotunerError],
        needs: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._noun = noun
        self._group = group
        self._own = own
        self._error = error
        self._needs = needs

    @cached_property
    def places(self) -> Mapping[str, str | None]:
        """Name -> `module:Class`; None for one that is not installed.

        Raises:
            AutotunerError: two packages have one name, or one has a name of ours.
        """
        found = dict(self._own)
        for point in sorted(entry_points(group=self._group), key=lambda point: point.name):
            if found.get(point.name) is not None:
                raise self._error(
                    f"{self._noun} {point.name!r} is declared twice: {found[point.name]} and "
                    f"{point.value}",
                    remedy="uninstall one of the packages that declare it",
                )
            found[point.name] = point.value
        return MappingProxyType(found)

    @property
    def installed(self) -> tuple[str, ...]:
        """Names of the classes that are there."""
        return tuple(name for name, place in self.places.items() if place and self._can_run(name))

    def remedy(self, name: str) -> str:
        """How to install the class of that name."""
        if name in self._needs:
            return f"pip install 'inference-autotuner[{self._needs[name]}]'"
        return f"install what has it; there are: {', '.join(self.installed)}"

    def _can_run(self, name: str) -> bool:
        needed = self._needs.get(name)
        return needed is None or importlib.util.find_spec(needed) is not None

    def load(self, name: str) -> Any:
        """The class of that name.

        Raises:
            AutotunerError: it is not installed, which says what is, or it cannot be loaded.
        """
        place = self.places.get(name)
        if place is None or not self._can_run(name):
            raise self._error(
                f"the {self._noun} {name!r} is not installed here", remedy=self.remedy(name)
            )
        module, _, attribute = place.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise self._error(
                f"the {self._noun} {name!r} cannot be loaded from {place}: {error}",
                remedy="mend or uninstall the package that declares it",
            ) from None

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        return tuple(self.places)[place]

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, name: object) -> bool:
        return name in self.places

    def check(self, name: str) -> str:
        """The name itself, for Pydantic.

        Raises:
            ValueError: no such name; names the nearest.
        """
        if name not in self:
            raise ValueError(f"{name!r} is no {self._noun}; {nearest(name, list(self))}")
        return name

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"enum": list(self)}


LAUNCHERS = ExtensionPoint(
    "launcher",
    group="autotuner.launchers",
    own={
        "local": "autotuner.launch.local:LocalLauncher",
        "docker": "autotuner.launch.docker:DockerLauncher",
        "ray": "autotuner.cluster.launcher:RayLauncher",
        "replay": "autotuner.launch.replay:ReplayLauncher",
    },
    error=LaunchError,
    needs={"ray": "ray"},
)
"""Launchers, which start engines; `deployment_mode` names one."""
LOAD_GENERATORS = ExtensionPoint(
    "load generator",
    group="autotuner.load_generators",
    own={
        "autotuner": "autotuner.measure.generator:StreamingLoadGenerator",
        "genai-bench": "autotuner.measure.genai_bench:GenaiBenchGenerator",
    },
    error=MeasureError,
)
"""Load generators; `benchmark.tool` names one, ours by default."""

STRATEGIES = ExtensionPoint(
    "strategy",
    group="autotuner.strategies",
    own={
        "auto": "autotuner.search.auto:AutoStrategy",
        "two_stage": "autotuner.search.two_stage:TwoStageStrategy",
        "progressive": "autotuner.search.progressive.strategy:ProgressiveStrategy",
        "hybrid": "autotuner.search.hybrid.strategy:HybridStrategy",
        "bayesian": "autotuner.search.bayesian:BayesianStrategy",
        "random": "autotuner.search.grid_and_random:RandomStrategy",
        "grid": "autotuner.search.grid_and_random:GridStrategy",
    },
    error=AutotunerError,
)
"""Strategies, which choose the next launch; `optimization.strategy` names one."""
PREDICTORS = ExtensionPoint(
    "predictor",
    group="autotuner.predictors",
    own={
        "auto": "autotuner.predict.combined:best_of_both",
        "aiconfigurator": "autotuner.predict.aiconfigurator.predictor:AiconfiguratorPredictor",
        "aisimulate": "autotuner.predict.aisimulate.predictor:AISimulatePredictor",
        "roofline": "autotuner.predict.roofline.predictor:RooflinePredictor",
        "none": None,
    },
    error=AutotunerError,
)
"""Predictors of launches; `prediction.predictor` names one, and `none` for none."""

DeploymentMode = Annotated[str, AfterValidator(LAUNCHERS.check), LAUNCHERS]
"""Name of a launcher."""
LoadGeneratorName = Annotated[str, AfterValidator(LOAD_GENERATORS.check), LOAD_GENERATORS]
"""Name of a load generator."""
StrategyName = Annotated[str, AfterValidator(STRATEGIES.check), STRATEGIES]
"""Name of a strategy."""
PredictorName = Annotated[str, AfterValidator(PREDICTORS.check), PREDICTORS]
"""Name of a predictor."""
