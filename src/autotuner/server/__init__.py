"""The service: `/api/v2`, v1's `/api`, events, tokens, the built web UI.

In: HTTP. Out: JSON of the rooms below, and problem details. Knows nothing of terminals.
"""
