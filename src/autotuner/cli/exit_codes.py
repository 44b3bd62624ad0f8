"""What the command's exit code says; 0 is done."""

NOTHING, MISTAKE, INTERRUPTED = 1, 2, 130
