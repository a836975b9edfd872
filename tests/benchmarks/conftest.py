"""The benchmarks are no part of the distribution: they are imported from the clone, after all that is installed."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
