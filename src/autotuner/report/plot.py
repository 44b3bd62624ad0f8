"""A scatter plot in characters."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.report.points import PlotPoint

_DOMINATED, _FRONTIER, _RECOMMENDED = ".", "o", "*"


def plot_lines(
    points: Sequence[PlotPoint], *, x: str, y: str, width: int = 60, height: int = 14
) -> list[str]:
    """Lines of at most `width` + 10 characters; empty where there is nothing to draw.

    Args:
        x, y: quantities of `PlotPoint.values`, drawn from 0.
    """
    points = [point for point in points if x in point.values and y in point.values]
    if not points:
        return []
    most_x = max(point.values[x] for point in points) * 1.02
    most_y = max(point.values[y] for point in points) * 1.02
    grid = [[" "] * width for _ in range(height)]
    # What matters most is drawn last, over what shares its place.
    for point in sorted(points, key=lambda p: (p.recommended, p.on_frontier)):
        column = min(int(point.values[x] / most_x * width), width - 1)
        row = min(int(point.values[y] / most_y * height), height - 1)
        glyph = _FRONTIER if point.on_frontier else _DOMINATED
        grid[height - 1 - row][column] = _RECOMMENDED if point.recommended else glyph
    lines = []
    for index, row_of_glyphs in enumerate(grid):
        value = most_y * (height - index) / height
        tick = f"{value:8.4g}" if index % 4 == 0 else " " * 8
        lines.append(f"{tick} |{''.join(row_of_glyphs)}".rstrip())
    lines.append(" " * 8 + " +" + "-" * width)
    middle, right = f"{most_x / 2:.4g}", f"{most_x:.4g}"
    ruler = "0".ljust(width // 2) + middle.ljust(width // 2 - len(right)) + right
    lines.append(" " * 10 + ruler)
    return lines
