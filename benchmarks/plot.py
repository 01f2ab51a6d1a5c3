"""Draws a line plot as SVG, by hand: two axes and a few lines need no library of 30 MB."""

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 400, 64, 170, 44, 52
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # colour-blind readers can tell them apart
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000)

Points = Sequence[tuple[float, float]]


def line_plot(title: str, x: str, y: str, lines: Mapping[str, Points]) -> str:
    """Return the SVG of lines from zero, named at their right ends. Neither `lines` nor a line may be empty."""
    most_x = max(px for points in lines.values() for px, _ in points)
    most_y = max(py for points in lines.values() for _, py in points) or 1

    def at(px: float, py: float) -> tuple[float, float]:
        return (
            _LEFT + px / most_x * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - py / most_y * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>{escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 24, title, 'font-size="15" font-weight="bold"'),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 14, x, 'text-anchor="middle"'),
        _text(_LEFT - 10, _TOP - 6, y, 'text-anchor="middle"'),
    ]
    for value in _ticks(most_y):
        left, height = at(0, value)
        parts.append(f'<path d="M{left:.1f} {height:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(_text(left - 8, height + 4, f"{value:g}", 'text-anchor="end"'))
    for value in _ticks(most_x):
        left, height = at(value, 0)
        parts.append(_text(left, height + 18, f"{value:g}", 'text-anchor="middle"'))
    for (name, points), colour in zip(lines.items(), _COLOURS, strict=False):
        places = [at(*point) for point in points]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in places]
        parts.append(_text(places[-1][0] + 8, places[-1][1] + 4, name, f'fill="{colour}"'))
    return "\n".join([*parts, "</svg>\n"])


def _ticks(most: float) -> list[float]:
    step = next((step for step in _STEPS if most / step <= 6), _STEPS[-1])
    return [step * i for i in range(int(most / step) + 1)]


def _text(x: float, y: float, text: str, attributes: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(text)}</text>'
