"""The service: `/api/v2`, v1's `/api`, events, tokens.

In: HTTP. Out: what the rooms below say, as JSON, and problem details. Knows nothing of terminals.
"""
