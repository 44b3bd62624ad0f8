"""The formats, a file each: a pure function of a deployed engine, and what it fits."""
