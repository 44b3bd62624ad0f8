"""Traffic into replicas, devices and money: pure arithmetic on operating points.

In: points of one replica, measured or predicted, traffic and limits. Out: replicas, GPUs, costs.
Nothing is extrapolated beyond the highest load that is known.
"""

from autotuner.sizing.costs import TokenCosts, token_costs

__all__ = ["TokenCosts", "token_costs"]
