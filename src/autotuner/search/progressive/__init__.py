"""The progressive strategy: heuristic seeds, gaps of the frontier, then trends."""

from autotuner.search.progressive.strategy import ProgressiveStrategy

__all__ = ["ProgressiveStrategy"]
