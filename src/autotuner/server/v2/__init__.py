"""API v2: one module per resource, each with its `router`; `server.app` mounts them all."""
