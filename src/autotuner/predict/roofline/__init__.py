"""Predictions by the roofline: what a pass moves and computes, and its predictor."""
