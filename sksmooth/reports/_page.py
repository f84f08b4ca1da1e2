"""One page of HTML that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from sksmooth.reports._words import Facts, statements

# More rows make a page that no browser likes; tables hold them all.
_MOST_ROWS = 2000

_STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { padding: .15rem .6rem; text-align: left; }
th { border-bottom: 1px solid #888; } td { overflow-wrap: anywhere; vertical-align: top; }
.rows { font-size: 13px; } h2 { margin-top: 2rem; } svg { max-width: 100%; }
"""

_WIDTH, _HEIGHT, _MARGIN = 640, 320, 48


def page(facts: Facts, rows: list[dict[str, Any]]) -> str:
    """Return the page; whatever is shown is escaped.

    Parameters
    ----------
    facts : Facts
        The run in numbers.
    rows : list of dict
        Its table.
    """
    title = f"Certified robustness of {facts.log.description['estimator']}"
    words = "".join(f"<h2>{escape(t)}</h2><p>{escape(text)}</p>" for t, text in statements(facts))
    numbers = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in facts.numbers()
    )
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{words}"
        f"<h2>The run</h2><table>{numbers}</table>"
        f"<h2>{escape(facts.curve_name.capitalize())}</h2>{_curve(facts)}"
        f"<h2>Rows</h2>{_table(rows)}</body></html>\n"
    )


def _table(rows: list[dict[str, Any]]) -> str:
    shown = rows[:_MOST_ROWS]
    names = list(shown[0])
    head = "".join(f"<th>{escape(str(name))}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(row[name]))}</td>" for name in names) + "</tr>"
        for row in shown
    )
    left = len(rows) - len(shown)
    more = f"<p>{left} more rows are in the file of the run.</p>" if left else ""
    return f'<table class="rows"><tr>{head}</tr>{body}</table>{more}'


def _curve(facts: Facts) -> str:
    """Draw the step curve as lines of SVG."""
    radii, parts = facts.curve()
    most = max(radii) or 1.0

    def at(r: float, part: float) -> str:
        x = _MARGIN + r / most * (_WIDTH - 2 * _MARGIN)
        y = _HEIGHT - _MARGIN - part * (_HEIGHT - 2 * _MARGIN)
        return f"{x:.1f},{y:.1f}"

    points = [at(radii[0], parts[0])]
    for left, right, part in zip(radii, radii[1:], parts[1:], strict=False):
        points += [at(left, part), at(right, part)]
    points.append(at(radii[-1], 0.0))
    corner, end, top = at(0, 0), at(most, 0), at(0, 1)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Curve">'
        f'<polyline points="{top} {corner} {end}" fill="none" stroke="#888"/>'
        f'<polyline points="{" ".join(points)}" fill="none" stroke="#06c" stroke-width="2"/>'
        f'<text x="{_MARGIN}" y="{_HEIGHT - 20}">0</text>'
        f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 20}" text-anchor="end">'
        f"radius {most:.3g}</text>"
        f'<text x="8" y="{_MARGIN + 4}">100 %</text></svg>'
    )
