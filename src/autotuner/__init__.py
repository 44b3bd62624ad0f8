"""Inference Autotuner: finds how to serve an LLM, by measuring the configurations that matter.

A task flows once, left to right::

    config -> profiles -> space -> predict -> search -> launch -> measure -> store -> report
    (what)   (fill in)  (candidates)        (which next)                  (facts)  (frontier,
                                    ^                                        |      commands,
                                    +-------------- calibration <------------+      comparison)

`tuning` is the loop from search to store and back. `sizing` turns operating points and traffic into
replicas and costs. `landscapes` are recorded launches, replayed in place of real ones. `catalog`
and `engines` are tables of facts that the rooms consult, `verify` compares predictions with
measurements, `deploy` writes files of other tools, `evaluate` is what `bench` runs, `testing` has
contracts for who extends us. `migrate` knows the predecessor. A team shares one service: `server`
takes tasks by HTTP, `workers` run them. `cli` is the thin edge. A room imports only the rooms
before it; the contract stands in pyproject.toml.
"""

__version__ = "0.1.0"
