"""Predictions by AISimulate, which simulates the scheduler of an engine over measured kernels."""
