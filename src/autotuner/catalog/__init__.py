"""Facts about models and devices, as tables and by looking.

In: a model's id or path. Out: what is known of it; what is unknown stays unknown.
Knows nothing of engines.
"""

from autotuner.catalog.device import Device, this_device
from autotuner.catalog.gguf import GgufHeader, read_gguf
from autotuner.catalog.models import ResolvedModel, known_models, resolve_model

__all__ = [
    "Device",
    "GgufHeader",
    "ResolvedModel",
    "known_models",
    "read_gguf",
    "resolve_model",
    "this_device",
]
