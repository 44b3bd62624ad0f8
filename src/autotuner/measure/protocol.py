"""The seam between the loop and whatever makes load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self, runtime_checkable

from autotuner.catalog import ResolvedModel
from autotuner.config import Benchmark, LengthDistribution, LoadKind, LoadLevel
from autotuner.config.extensions import LOAD_GENERATORS
from autotuner.launch import RunningEngine
from autotuner.measure.arrival import ArrivalProcess, arrival_process
from autotuner.measure.results import Measurement
from autotuner.measure.stopping import StoppingRule

MOST_IN_FLIGHT = 800
"""Requests under way in an open loop; each has a socket, and many systems let a process open 1,024
files."""


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible streaming completions endpoint.

    Attributes:
        engine: that answers there, for a generator that reaches it in another way; None where it
            is not known.
    """

    base_url: str
    model_name: str
    api_path: str = "/v1/completions"
    engine: RunningEngine | None = None


@dataclass(frozen=True)
class LevelPlan:
    """One load level to run: how requests arrive, and when it ends, each independent of the other.

    First a warm-up, until `warmup_requests` are completed and, in a closed loop, all users are in
    flight. Requests sent from then on are measured until `stop` closes admission, and others keep
    the load up until the last measured one ends, so that each of them meets the full load.

    An open loop has no more than `most_in_flight` requests under way: where the engine is so far
    behind, the next waits for one to end, and the level is marked as saturated. Requests that
    keep the load up do not raise it beyond what it was.

    Attributes:
        warmup_requests: completed before the clock starts; not counted.
        seed: makes request lengths and prompts reproducible; prompts are unique within a seed.
        arrival: that of the load's kind where left out.
    """

    lengths: LengthDistribution
    load: LoadLevel
    stop: StoppingRule
    warmup_requests: int
    request_timeout_s: float = 120.0
    seed: int = 0
    arrival: ArrivalProcess | None = None
    most_in_flight: int = MOST_IN_FLIGHT

    def arrival_process(self) -> ArrivalProcess:
        """Who decides when the next request is sent."""
        return self.arrival or arrival_process(self.load)


@dataclass(frozen=True)
class LoadContext:
    """Arguments that every load generator is made with.

    Attributes:
        benchmark: of the task; `tool_path` and `tokenizer` are for the generator to read.
        model: what is served.
        base: folder from which the task's relative paths count.
    """

    benchmark: Benchmark
    model: ResolvedModel
    base: Path


class LoadGenerator(Protocol):
    """Runs one load level against an endpoint and measures it.

    Example:
        measurement = await generator.run(endpoint, plan, engine_alive=lambda: True)
    """

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        """Runs the level; `on_progress(completed, wanted)` is called as requests end.

        A level whose engine dies (`engine_alive()` turns False) ends at once, with the requests
        in flight counted as failed. Never raises for what the endpoint does.

        Raises:
            AutotunerError: the endpoint's address or the plan is not one that it can serve.
        """


class RegisteredLoadGenerator(LoadGenerator, Protocol):
    """Load generator that a task may name in `benchmark.tool`.

    Attributes:
        load_kinds: kinds of load that it can produce; levels of another are refused beforehand.
    """

    load_kinds: ClassVar[frozenset[LoadKind]]

    @classmethod
    def of(cls, context: LoadContext) -> Self:
        """The generator for a task.

        Raises:
            MeasureError: what it needs is not on this machine.
        """


@runtime_checkable
class LoadsBesideEngines(Protocol):
    """Class of a launcher whose engines are loaded from where they run, and watched there."""

    def load_generator(self, context: LoadContext) -> LoadGenerator:
        """The generator for a task; `Endpoint.engine` says which engine it is to load."""


def load_generator_named(name: str) -> type[RegisteredLoadGenerator]:
    """The class of the load generator of that name.

    Raises:
        MeasureError: it is not installed; says which are.
    """
    found: type[RegisteredLoadGenerator] = LOAD_GENERATORS.load(name)
    return found
