"""`python -m autotuner` is the command `autotuner`."""

from autotuner.cli import main

if __name__ == "__main__":
    main()
