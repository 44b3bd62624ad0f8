"""Results of a task or a comparison, for people: on the terminal and as one HTML file.

In: a `TaskSummary` or a `Comparison`. Out: text or a file. Knows nothing of HTTP,
storage or engines.
"""

from autotuner.report.comparison import write_comparison
from autotuner.report.comparison_terminal import print_comparison
from autotuner.report.html import write_aside, write_html
from autotuner.report.terminal import print_summary

__all__ = ["print_comparison", "print_summary", "write_aside", "write_comparison", "write_html"]
