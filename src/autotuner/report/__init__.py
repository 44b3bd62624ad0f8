"""What a run found, for people: on the terminal and as one HTML file.

In: a `RunSummary`. Out: text or a file. Knows nothing of HTTP, storage or engines.
"""

from autotuner.report.html import write_html
from autotuner.report.terminal import print_summary

__all__ = ["print_summary", "write_html"]
