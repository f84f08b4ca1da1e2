"""What a source claims, and the run that repeats or refutes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Table = tuple[Sequence[str], Sequence[Sequence[Any]]]

# Runs up to so many seconds are fast: the tests make them.
FAST = 60

REPEATED, REFUTED, BETTERED = "repeated", "refuted", "bettered"


@dataclass(frozen=True)
class Claim:
    """A claim, figure or table of a source.

    Attributes
    ----------
    name : str
        By which the run is called.
    source : str
        Short name of the source, that of its page.
    where : str
        Theorem, figure or table.
    says : str
        What the source says, in our words.
    verdict : str
        REPEATED, REFUTED or BETTERED.
    ours : str
        What the run shows.
    seconds : int
        About how long it takes on two cores.
    run : callable
        Returns the header and the rows of a table.
    holds : callable
        Whether the rows show what is said to be found.
    needs : str, default=""
        Folder of SKSMOOTH_DATA that it reads.
    """

    name: str
    source: str
    where: str
    says: str
    verdict: str
    ours: str
    seconds: int
    run: Callable[[], Table]
    holds: Callable[[Any], bool]
    needs: str = ""

    @property
    def is_fast(self) -> bool:
        """Whether the tests make this run."""
        return self.seconds <= FAST

    def missing(self) -> str:
        """Say what the run lacks, if it lacks something."""
        if not self.needs:
            return ""
        folder = os.environ.get("SKSMOOTH_DATA")
        if folder is None:
            return f"set SKSMOOTH_DATA to a folder with {self.needs}/"
        return "" if (Path(folder) / self.needs).is_dir() else f"{folder} has no {self.needs}/"


def folder(name: str) -> Path:
    """Return a folder of the data."""
    return Path(os.environ["SKSMOOTH_DATA"]) / name
