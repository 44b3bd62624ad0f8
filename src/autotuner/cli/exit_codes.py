"""Exit codes of the command; 0 is done."""

NOTHING, MISTAKE, INTERRUPTED = 1, 2, 130
