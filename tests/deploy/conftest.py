"""Settings that engines can express are made by the engines' own tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "engines"))
