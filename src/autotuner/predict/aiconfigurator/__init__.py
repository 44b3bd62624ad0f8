"""Predictions by NVIDIA's aiconfigurator: what it is asked, what it answers, and its predictor."""
