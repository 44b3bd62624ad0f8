"""Expected performance of a candidate before it is launched, with its uncertainty.

In: a `Scenario`, candidates, load levels; observations to learn from. Out: `Predictions`.
Knows nothing of launching and storage.
"""

from autotuner.predict.aiconfigurator.predictor import AiconfiguratorPredictor
from autotuner.predict.aisimulate.predictor import AISimulatePredictor
from autotuner.predict.closed_loop import (
    e2e_ms,
    requests_in_flight,
    tok_s,
    tok_s_per_user,
    tok_s_under,
    ttft_at_rate_ms,
    ttft_with_waiting_ms,
)
from autotuner.predict.device_speed import (
    DeviceSpeed,
    calibrate_device,
    cpu_with_speed,
    device_speed,
    measure_device,
)
from autotuner.predict.observations import Observation
from autotuner.predict.predictor import (
    OutOfMemory,
    Prediction,
    Predictions,
    Predictor,
    Scenario,
    Support,
)
from autotuner.predict.roofline.predictor import RooflinePredictor

__all__ = [
    "AISimulatePredictor",
    "AiconfiguratorPredictor",
    "DeviceSpeed",
    "Observation",
    "OutOfMemory",
    "Prediction",
    "Predictions",
    "Predictor",
    "RooflinePredictor",
    "Scenario",
    "Support",
    "calibrate_device",
    "cpu_with_speed",
    "device_speed",
    "e2e_ms",
    "measure_device",
    "requests_in_flight",
    "tok_s",
    "tok_s_per_user",
    "tok_s_under",
    "ttft_at_rate_ms",
    "ttft_with_waiting_ms",
]
