"""Traffic into replicas, devices and money: pure arithmetic on operating points.

In: load levels of one replica, measured or predicted, traffic and limits. Out: replicas, GPUs,
costs. Nothing is extrapolated beyond the highest load that is known.
"""

from autotuner.sizing.costs import TokenCosts, token_costs
from autotuner.sizing.curve import Capacity, LoadCurve, Missed, ReplicaLevel, ValueInterval
from autotuner.sizing.deployment import (
    Deployment,
    Replica,
    ServiceLevel,
    cheapest,
    deployment,
    deployments,
    nearest,
)
from autotuner.sizing.traced import TracedTraffic, traced_traffic
from autotuner.sizing.traffic import Traffic, TrafficError, grown

__all__ = [
    "Capacity",
    "Deployment",
    "LoadCurve",
    "Missed",
    "Replica",
    "ReplicaLevel",
    "ServiceLevel",
    "TokenCosts",
    "TracedTraffic",
    "Traffic",
    "TrafficError",
    "ValueInterval",
    "cheapest",
    "deployment",
    "deployments",
    "grown",
    "nearest",
    "token_costs",
    "traced_traffic",
]
