"""API v2: one module per resource, each with its `router`; `routes` names them all."""
