"""The former place of `autotuner.llamacpp_host`, for commands that were stored or copied before."""

import sys

from autotuner.llamacpp_host import main

if __name__ == "__main__":
    sys.exit(main())
