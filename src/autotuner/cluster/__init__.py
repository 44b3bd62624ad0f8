"""Launches on the nodes of a Ray cluster: engine, load and counters beside each other.

In: a `LaunchSpec` and a `LevelPlan`. Out: a `RunningEngine` whose engine runs on another machine,
and the `Measurement`s that were made there. Ray places launches; what happens on a node is done by
the local launcher, its supervisor and the load generator, as on this machine.
"""
