"""Load that is made beside the engine, on its node of the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from autotuner.catalog.device import this_device
from autotuner.cluster.engine import RayEngine
from autotuner.cluster.messages import LevelRequest
from autotuner.cluster.multi_node_engine import MultiNodeEngine
from autotuner.errors import MeasureError
from autotuner.measure import Endpoint, LevelPlan, Measurement
from autotuner.measure.protocol import LoadContext
from autotuner.measure.results import MeasuredNode


class RayLoadGenerator:
    """Has the node of an engine run a level, with the tool that the task names; see
    `LoadGenerator`."""

    def __init__(self, context: LoadContext) -> None:
        self._context = context

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        """Runs a level; whether the engine lives, its node sees first.

        Raises:
            MeasureError: the engine is not one of a cluster, or the tool is not on its node.
            LaunchLost: the node is gone.
        """
        engine = endpoint.engine
        if not isinstance(engine, RayEngine | MultiNodeEngine):
            raise MeasureError(f"{endpoint.base_url} is no engine on a node of a Ray cluster")
        serving, gpus = engine.processes[0], sum(process.gpus for process in engine.processes)
        request = LevelRequest(
            self._context,
            endpoint.model_name,
            endpoint.api_path,
            plan,
            gpus,
            is_alone=serving.is_alone,
            is_multi_node=len(engine.processes) > 1,
        )
        level = asyncio.create_task(
            serving.run_level(request, on_progress or (lambda completed, wanted: None))
        )
        others = [asyncio.create_task(other.heard_last()) for other in engine.processes[1:]]
        try:
            await asyncio.wait({level, *others}, return_when=asyncio.FIRST_COMPLETED)
            if not level.done():
                # It may wait for the one that has ended until its requests run out of time.
                await serving.end_process()
            found = await level
        finally:
            for task in (level, *others):
                task.cancel()
        facts = serving.facts
        node = MeasuredNode(
            host=", ".join(process.facts.host for process in engine.processes),
            processor=facts.processor,
            cores=facts.cores,
            is_as_described=gpus > 0 or facts.processor == this_device().name,
        )
        return found.model_copy(update={"node": node})
