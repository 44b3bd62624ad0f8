"""Inference Autotuner: finds how to serve an LLM, by measuring the configurations that matter.

A task flows once, left to right::

    config -> space -> search -> launch -> measure -> store -> report
    (what)  (candidates) (which next)               (facts)  (frontier, commands)
                ^                                      |
                +------------ tuning (the loop) -------+

`catalog` and `engines` are tables of facts that the rooms consult; `cli` is the thin edge.
A room imports only the rooms before it; the contract stands in pyproject.toml.
"""

__version__ = "0.1.0"
