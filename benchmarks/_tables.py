"""Tables of measurements: on the screen, and in the form that the documentation includes."""

from pathlib import Path

MEASURED = Path(__file__).parents[1] / "docs" / "measured"


def as_text(header, rows):
    """Align columns for the screen."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def write_for_docs(name, header, rows):
    """Write the table where the user guide includes it from."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (header, *rows):
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    MEASURED.mkdir(exist_ok=True)
    (MEASURED / f"{name}.rst").write_text("\n".join(lines) + "\n")
