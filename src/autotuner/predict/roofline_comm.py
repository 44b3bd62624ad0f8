"""Collectives between the devices of a deployment.

R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of Collective Communication Operations in
MPICH", IJHPCA 19(1), 2005: a message of m bytes costs alpha + m / bandwidth per hop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autotuner.catalog import Gpu


@dataclass(frozen=True)
class Link:
    """One hop: seconds before the first byte, bytes per second after it."""

    latency_s: float
    bytes_s: float


NO_LINK = Link(0.0, 1.0)
"""Of a device alone."""
LATENCY_US = {"nvlink": 3.0, "infinity-fabric": 5.0, "pcie": 12.0}
NETWORK_US = 12.0
NETWORK_GB_S = 50.0
LINK_SHARE = 0.7
"""A hop between kernels of two GPUs, and over RDMA; one 400 Gbit/s adapter per GPU, as in DGX and
HGX systems; 70 % of a link's rate is what NCCL's large all-reduces reach."""


def link_between(gpu: Gpu, devices: int) -> Link:
    """The slowest hop among so many devices, filled node by node."""
    if devices > max(gpu.linked_gpus, gpu.gpus_per_node, 1) or gpu.interconnect_gb_s is None:
        return Link(NETWORK_US * 1e-6, NETWORK_GB_S * 1e9 * LINK_SHARE)
    latency_us = LATENCY_US.get(gpu.interconnect, NETWORK_US)
    return Link(latency_us * 1e-6, gpu.interconnect_gb_s * 1e9 * LINK_SHARE)


def all_reduce_s(link: Link, devices: int, message_bytes: float) -> float:
    """Seconds of a sum over `devices`, left on each of them.

    The better of a ring, 2 (n - 1) alpha + 2 (n - 1) / n x m / bandwidth, and recursive doubling,
    log2(n) x (alpha + m / bandwidth) (Thakur et al., section 4.5).
    """
    if devices <= 1:
        return 0.0
    hops = devices - 1
    ring = 2 * hops * (link.latency_s + message_bytes / devices / link.bytes_s)
    rounds = math.ceil(math.log2(devices))
    return min(ring, rounds * (link.latency_s + message_bytes / link.bytes_s))


def all_to_all_s(link: Link, devices: int, message_bytes: float) -> float:
    """Seconds until each of `devices` has sent its share of `message_bytes` to every other.

    Pairwise exchange in one volley: alpha x log2(n) + (n - 1) / n x m / bandwidth.
    """
    if devices <= 1:
        return 0.0
    sent = message_bytes * (devices - 1) / devices
    return link.latency_s * math.ceil(math.log2(devices)) + sent / link.bytes_s


def send_s(link: Link, message_bytes: float) -> float:
    """Seconds of one message to a neighbour."""
    return link.latency_s + message_bytes / link.bytes_s
