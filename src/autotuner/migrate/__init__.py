"""The predecessor (v1), both ways: its tasks as ours, what ours found in its shapes and units.

In: v1's documents and rows. Out: v2 tasks, and v1's answers. Pure; knows nothing of HTTP.
"""
