"""Workers: take queued tasks from the store, run them, and take over from workers that died.

In: rows of the store. Out: the same rows, further on. Knows nothing of HTTP.
"""
