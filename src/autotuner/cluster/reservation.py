"""A reservation for launches: a placement group, and an actor on each of its nodes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from autotuner.cluster.connection import NAMESPACE, nodes, ray_module
from autotuner.cluster.heartbeat import Heartbeat
from autotuner.cluster.messages import NodeFacts
from autotuner.cluster.node import SILENT_LOOKS, LaunchNode
from autotuner.errors import LaunchError
from autotuner.launch.protocol import LaunchLost

T = TypeVar("T")
_ENVIRONMENT = {"RAY_kill_child_processes_on_worker_exit": "false"}
"""Ray would kill the engine's supervisor, whose work it is to end all that the engine started."""
_MISSING = "No module named 'autotuner"
"""Ends a trace of Ray's that may be long."""
_LOOK_S = 2.0
_ALIVE_S = 5.0
_CLOSE_S = 2.0


@dataclass
class Reservation:
    """A node of a placement group, whose actor answers.

    Attributes:
        actor: a `LaunchNode`.
        demand: what it reserves of its node, by Ray's names.
        launches: how many launches it has had.
        followers: the further nodes of the group, where launches are over several.
    """

    name: str
    actor: Any
    group: Any
    demand: dict[str, float]
    facts: NodeFacts
    launches: int = field(default=0)
    followers: tuple[Reservation, ...] = ()
    _heartbeat: Heartbeat | None = field(default=None, repr=False)

    @property
    def parts(self) -> tuple[Reservation, ...]:
        """Its nodes, this one first."""
        return (self, *self.followers)

    def next_launch_id(self) -> str:
        """The id of the next launch."""
        self.launches += 1
        return f"{self.name}.{self.launches}"

    def fits(self, demand: dict[str, float], node_count: int) -> bool:
        """Whether it is what a launch on `node_count` nodes with `demand` each needs."""
        return self.demand == demand and len(self.parts) == node_count

    async def is_alive(self) -> bool:
        """Whether all of it still answers, and its nodes are the cluster's."""
        try:
            async with asyncio.timeout(_ALIVE_S):
                await asyncio.gather(*(answered(one.actor.facts.remote) for one in self.parts))
                there = {node.id for node in await asyncio.to_thread(nodes)}
        except (TimeoutError, LaunchLost):
            return False
        return all(one.facts.node in there for one in self.parts)

    async def free_port(self) -> int:
        """A port of its node that is free now.

        Raises:
            LaunchLost: the node is gone.
        """
        return await answered(self.actor.free_port.remote)

    def keep_alive(self, owner_silent_s: float) -> None:
        """Gives its actor heartbeats until it is released, whether a launch is under way or not.

        Args:
            owner_silent_s: after which the actor ends that gets none.
        """
        self._heartbeat = Heartbeat(self.give_heartbeat, owner_silent_s / SILENT_LOOKS)

    def give_heartbeat(self) -> None:
        """Tells the actor that its owner lives; waits until it knows.

        Raises:
            LaunchLost: it, or its node, is gone.
            TimeoutError: it does not answer now.
        """
        ray = ray_module()
        try:
            ray.get(self.actor.heartbeat.remote(), timeout=_ALIVE_S)
        except ray.exceptions.GetTimeoutError:
            raise TimeoutError from None
        except (ray.exceptions.RayError, ConnectionError) as error:
            raise LaunchLost(f"{type(error).__name__}: {_in_a_line(error)}") from None

    def release(self) -> None:
        """Gives all of it back to the cluster."""
        ray = ray_module()
        for one in self.parts:
            if one._heartbeat is not None:
                one._heartbeat.stop()
            with contextlib.suppress(ray.exceptions.RayError, ConnectionError):
                ray.get(one.actor.close.remote(), timeout=_CLOSE_S)
        _release([one.actor for one in self.parts], self.group)


async def reserved(
    name: str,
    demand: dict[str, float],
    gpus: int,
    still_fits: Callable[[], object],
    *,
    node_count: int = 1,
    waiting: Callable[[], None] = lambda: None,
    owner_silent_s: float | None = None,
) -> Reservation:
    """Waits until there is enough, and reserves it.

    Args:
        demand, gpus: of each node.
        node_count: how many nodes.
        still_fits: raises where the cluster will never have it.
        waiting: called every few seconds until there is enough.
        owner_silent_s: as of a `LaunchNode`.

    Raises:
        LaunchError: the node cannot run launches, or what `still_fits` raises.
        LaunchLost: the node was lost meanwhile.
    """
    reserving = asyncio.ensure_future(
        asyncio.to_thread(_reserve, name, demand, gpus, owner_silent_s, node_count)
    )
    try:
        actors, group = await asyncio.shield(reserving)
    except asyncio.CancelledError:
        await asyncio.to_thread(_release, *await reserving)
        raise
    answer = asyncio.gather(*(answered(actor.facts.remote) for actor in actors))
    try:
        while not (await asyncio.wait({answer}, timeout=_LOOK_S))[0]:
            waiting()
            await asyncio.to_thread(still_fits)
        found = zip(_names(name, node_count), actors, answer.result(), strict=True)
        every = [Reservation(own, actor, group, demand, facts) for own, actor, facts in found]
    except BaseException:
        answer.cancel()
        await asyncio.to_thread(_release, actors, group)
        raise
    if owner_silent_s is not None:
        for one in every:
            one.keep_alive(owner_silent_s)
    every[0].followers = tuple(every[1:])
    return every[0]


def _names(name: str, node_count: int) -> list[str]:
    return [name, *(f"{name}-node{rank}" for rank in range(1, node_count))]


async def answered(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of an actor.

    Args:
        ask: calls it; without a connection that is refused before there is anything to wait for.

    Raises:
        LaunchLost: it, or its node, is gone.
        LaunchError: it cannot be started on its node.
    """
    errors = ray_module().exceptions
    try:
        answer: T = await _left_to_ray(ask())
        return answer
    except errors.RuntimeEnvSetupError as error:
        raise LaunchError(
            f"a node cannot set up what a launch needs: {_in_a_line(error)}",
            remedy="see the node's log (runtime_env_agent.log)",
        ) from None
    except errors.RayTaskError:
        raise
    except (errors.RayError, ConnectionError) as error:
        raise meaning(error) from None


async def _left_to_ray(asked: Any) -> Any:
    """The answer to a call. Its own future is never cancelled: Ray settles it when the connection
    ends, and writes a traceback where it cannot."""
    if not hasattr(asked, "future"):
        return await asked
    loop = asyncio.get_running_loop()
    answer = loop.create_future()

    def settle(done: Future[Any]) -> None:
        if answer.done():
            return
        if (error := done.exception()) is not None:
            answer.set_exception(error)
        else:
            answer.set_result(done.result())

    def pass_on(done: Future[Any]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and who waited with it
            loop.call_soon_threadsafe(settle, done)

    asked.future().add_done_callback(pass_on)
    return await answer


def meaning(error: Exception) -> LaunchError | LaunchLost:
    """Meaning of an actor's end: that its node cannot run launches, or that it is gone."""
    if _MISSING in str(error):
        return LaunchError(
            "a node of the Ray cluster does not have inference-autotuner",
            remedy="install the same version with its extra [ray] on every node",
        )
    if getattr(error, "actor_init_failed", False):
        return LaunchError(
            f"a node of the Ray cluster cannot start launches: {_in_a_line(error)}",
            remedy="see the logs of its Ray (/tmp/ray/session_latest/logs)",
        )
    return LaunchLost(f"{type(error).__name__}: {_in_a_line(error)}")


def _reserve(
    name: str, demand: dict[str, float], gpus: int, owner_silent_s: float | None, node_count: int
) -> tuple[list[Any], Any]:
    ray = ray_module()
    from ray.util.placement_group import placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    strategy = "STRICT_PACK" if node_count == 1 else "STRICT_SPREAD"
    group = placement_group([dict(demand) for _ in range(node_count)], strategy=strategy, name=name)
    further = {key: most for key, most in demand.items() if key not in ("CPU", "GPU")}
    actors: list[Any] = []
    try:
        for rank, own in enumerate(_names(name, node_count)):
            actor = ray.remote(LaunchNode).options(
                name=own,
                namespace=NAMESPACE,
                num_gpus=gpus,
                num_cpus=demand.get("CPU", 0.0),
                resources=further,
                scheduling_strategy=PlacementGroupSchedulingStrategy(
                    group, placement_group_bundle_index=rank
                ),
                max_restarts=0,
                runtime_env={"env_vars": _ENVIRONMENT},
            )
            actors.append(actor.remote(owner_silent_s))
    except BaseException:
        _release(actors, group)
        raise
    return actors, group


def _release(actors: Sequence[Any], group: Any) -> None:
    ray = ray_module()
    from ray.util.placement_group import remove_placement_group

    for actor in actors:
        with contextlib.suppress(ray.exceptions.RayError, ConnectionError):
            ray.kill(actor)
    with contextlib.suppress(ray.exceptions.RayError, ConnectionError):
        remove_placement_group(group)


def _in_a_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500]
