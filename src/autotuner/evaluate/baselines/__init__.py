"""Searches to compare ours with; they live here only, and no task can name them.

In: a landscape. Out: a strategy. All know what ours know, and the oracle knows the truth.
"""

from autotuner.evaluate.baselines.registry import BASELINES, contender, contenders

__all__ = ["BASELINES", "contender", "contenders"]
