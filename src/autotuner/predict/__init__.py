"""What to expect of a candidate before it is launched, and how sure one may be.

In: a `Scenario`, candidates, load levels; observations to learn from. Out: `Predictions`.
Knows nothing of launching and storage.
"""

from autotuner.predict.aiconfigurator import AiconfiguratorPredictor
from autotuner.predict.closed_loop import e2e_ms, tok_s, ttft_at_rate_ms, ttft_with_waiting_ms
from autotuner.predict.observation import Observation
from autotuner.predict.protocol import OutOfMemory, Prediction, Predictions, Predictor, Support
from autotuner.predict.scenario import Scenario

__all__ = [
    "AiconfiguratorPredictor",
    "Observation",
    "OutOfMemory",
    "Prediction",
    "Predictions",
    "Predictor",
    "Scenario",
    "Support",
    "e2e_ms",
    "tok_s",
    "ttft_at_rate_ms",
    "ttft_with_waiting_ms",
]
