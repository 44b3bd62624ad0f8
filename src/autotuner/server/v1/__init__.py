"""The predecessor's API under `/api`: its paths, bodies, answers and status codes.

In: v1's requests. Out: v1's responses; its tasks run as v2 tasks, by the same workers.
"""
