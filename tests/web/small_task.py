"""A task that takes as little as one can: tests of pages create it, and few start it."""

TASK = {
    "version": 2,
    "name": "first",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 16, "osl": 8},
    "system": {"gpu_type": "cpu"},
    "benchmark": {"concurrency": [1]},
}
