"""The pages of the documentation that show claims, runs and tables, one for each source."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from benchmarks._tables import MEASURED
from benchmarks.reproduce._claims import Claim

PAGES = MEASURED.parent / "reproduction"

WORDS = {"repeated": "Repeated", "refuted": "Refuted", "bettered": "Bettered"}


def table_of(claim: Claim) -> str:
    """Return the name of the file that holds the table of a claim."""
    return f"reproduce_{claim.name.replace('-', '_')}"


def page_of(source: ModuleType) -> str:
    """Return the page of a source."""
    title = (source.__doc__ or "").splitlines()[0].rstrip(".")
    lines = [title, "=" * len(title), ""]
    for claim in source.CLAIMS:
        heading = f"{claim.where[0].upper()}{claim.where[1:]}"
        lines += [heading, "-" * len(heading), ""]
        lines += [f"The source: {claim.says}.", ""]
        lines += [f"**{WORDS[claim.verdict]}**: {claim.ours}.", ""]
        data = f", with ``{claim.needs}/`` of ``SKSMOOTH_DATA``" if claim.needs else ""
        lines += [f"``python -m benchmarks.reproduce {claim.name}`` ({_time(claim)}{data})", ""]
        if (MEASURED / f"{table_of(claim)}.rst").exists():
            lines += [f".. include:: ../measured/{table_of(claim)}.rst", ""]
    return "\n".join(lines)


def _time(claim: Claim) -> str:
    if claim.seconds < 60:
        return f"about {claim.seconds} s"
    return f"about {round(claim.seconds / 60)} min"


def write_pages(sources: Iterable[ModuleType]) -> list[Path]:
    """Write the pages of sources; return where they are."""
    PAGES.mkdir(exist_ok=True)
    written = []
    for source in sources:
        path = PAGES / f"{source.__name__.rpartition('.')[2]}.rst"
        path.write_text(page_of(source))
        written.append(path)
    return written
