from autotuner.config.lengths import LengthDistribution

__all__ = ["LengthDistribution"]
