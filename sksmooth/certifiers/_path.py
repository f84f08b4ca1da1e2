"""Certificates of a range of transformations, from votes at a few transformed images.

The images T_t x of a row form a curve, and balls around anchors on it cover the curve
(`transformations/_cover.py`). If the class of the row is certified at an anchor, with the radius of
its ball, it is certified for the part of the curve in the ball. Anchors are asked in a fixed order,
from the image itself outwards, and the range ends before the first whose claim is not proven.

Every anchor is tested at the full level of its side. Order and radii depend on the image alone, and
not on any vote. A range that is wrong contains the first anchor, in this order, whose claim is
false; its test passes with a probability of at most this level. The two sides share alpha.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.bounds import plan_looks
from sksmooth.certificates import ErrorBudget, PathCertificate
from sksmooth.certifiers._options import refuse_too_few_draws
from sksmooth.certifiers._stopping import Needless
from sksmooth.certifiers._votes import VoteCertifier
from sksmooth.certifiers.exact._base import ExactVote
from sksmooth.certifiers.exact._certifier import ExactCertifier
from sksmooth.engine._counting import VoteCounter
from sksmooth.engine._parallel import progress_bar
from sksmooth.engine._streams import Purpose
from sksmooth.exceptions import UnreachableRadiusError
from sksmooth.inputs._checks import refuse_out_of_range
from sksmooth.inputs._containers import Inputs
from sksmooth.limits import largest_radius
from sksmooth.noise import Noise
from sksmooth.transformations._attack import AttackedImages
from sksmooth.transformations._cover import Anchor, cover

# Anchors of a side that are voted on together: those behind one that fails are lost.
_ANCHORS_AT_ONCE = 8

# Numbers in anchors that are worked on together: 8 MB.
_VALUES_AT_ONCE = 2**20


class Judge(ABC):
    """Says whether the class of a row is certified within a radius of an input."""

    @abstractmethod
    def choose(self, inputs: Inputs) -> tuple[NDArray[Any], NDArray[np.intp], int]:
        """Return what stands for the choice of classes, their positions, and draws per row."""

    @abstractmethod
    def holds(
        self,
        inputs: Inputs,
        choice: NDArray[Any],
        radii: NDArray[np.float64],
        needless: Needless,
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return whether each claim is proven, and the number of draws that it took.

        Parameters
        ----------
        inputs : Inputs of length n
            Anchors.
        choice : ndarray of length n
            Of `choose`, for their rows.
        radii : ndarray of shape (n,)
            Radii, in l2.
        needless : callable
            Anchors that are of no use where others failed: they may be left undecided.
        """

    def refuse_hopeless(self, radius: float, n_features: int) -> None:
        """Refuse, before any draw, a radius that no vote could prove."""
        del radius, n_features


@dataclass(frozen=True)
class JudgeByVotes(Judge):
    """Votes are drawn until a claim is decided.

    Attributes
    ----------
    counter : VoteCounter
        Voter, noise and seed; its inputs are not used.
    classes : ndarray of shape (n_classes,)
        Labels.
    budget : ErrorBudget
        Level of each side of each row.
    n_selection, n_estimation : int
        Draws that choose the class, and draws at most that certify it at an anchor.
    """

    counter: VoteCounter
    classes: NDArray[Any]
    budget: ErrorBudget
    n_selection: int
    n_estimation: int

    def choose(self, inputs: Inputs) -> tuple[NDArray[Any], NDArray[np.intp], int]:
        """Let draws vote that certify nothing."""
        votes = self._counter(inputs).count(Purpose.SELECTION, self.n_selection)
        return votes, votes.argmax(axis=1), self.n_selection

    def holds(
        self,
        inputs: Inputs,
        choice: NDArray[Any],
        radii: NDArray[np.float64],
        needless: Needless,
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Decide on every radius by a group-sequential plan."""
        refuse_out_of_range(inputs, self.counter.streams.lattice)
        certifier = VoteCertifier(
            self._counter(inputs),
            classes=self.classes,
            budget=self.budget,
            norm=2.0,
            n_selection=self.n_selection,
            n_estimation=self.n_estimation,
            target=radii,
        )
        decided = certifier.decide(selection=choice, needless=needless)
        return decided.certified, decided.n_draws

    def refuse_hopeless(self, radius: float, n_features: int) -> None:
        """Refuse a radius that a unanimous vote of all draws could not prove."""
        look, streams = plan_looks(self.n_estimation)[-1], self.counter.streams
        alpha = replace(self.budget, spent=look.alpha_spent).of_one_bound
        refuse_too_few_draws(self.n_estimation, alpha)
        step = None if streams.lattice is None else streams.lattice.step
        options: dict[str, Any] = {"n_features": n_features, "norm": 2.0, "noise_step": step}
        ceiling = largest_radius(streams.noise, self.n_estimation, alpha, **options)
        if radius > ceiling:
            raise UnreachableRadiusError(
                f"No anchor can be certified with the radius rho={radius:.4g}: a unanimous vote of "
                f"n_estimation={self.n_estimation} draws of {streams.noise!r} proves "
                f"{ceiling:.4g} at most. Use a smaller rho or tolerance, a larger n_estimation, or "
                "a larger sigma."
            )

    def _counter(self, inputs: Inputs) -> VoteCounter:
        return replace(self.counter, inputs=inputs, verbose=False)


@dataclass(frozen=True)
class JudgeByLaw(Judge):
    """Class probabilities are known, and nothing is drawn.

    Attributes
    ----------
    vote : ExactVote
        Class probabilities and radii.
    classes : ndarray of shape (n_classes,)
        Labels.
    noise : Noise
        Distribution of the noise.
    n_jobs : int or None
        Number of workers, as in joblib.
    """

    vote: ExactVote
    classes: NDArray[Any]
    noise: Noise
    n_jobs: int | None = None

    def choose(self, inputs: Inputs) -> tuple[NDArray[Any], NDArray[np.intp], int]:
        """Take the most probable class."""
        prediction = self._certifier(inputs).certify(2.0).prediction
        positions = np.searchsorted(self.classes, prediction)
        return positions, positions, 0

    def holds(
        self,
        inputs: Inputs,
        choice: NDArray[Any],
        radii: NDArray[np.float64],
        needless: Needless,
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Compare radii with those that are known."""
        del needless
        certificate = self._certifier(inputs).certify(2.0, target=radii)
        same = certificate.prediction == self.classes[choice]
        return certificate.certified & same, np.zeros(len(inputs), np.int64)

    def _certifier(self, inputs: Inputs) -> ExactCertifier:
        return ExactCertifier(self.vote, inputs, self.classes, self.noise, n_jobs=self.n_jobs)


@dataclass
class _Side:
    """One side of a row, on its way outwards."""

    row: int
    sign: int
    anchors: Iterator[Anchor]
    reached: float = 0.0
    n_anchors: int = 0

    def next_anchors(self) -> list[Anchor]:
        """Return anchors that follow; none where all of the side is proven."""
        return list(islice(self.anchors, _ANCHORS_AT_ONCE))

    def take(self, anchors: list[Anchor], holds: NDArray[np.bool_]) -> bool:
        """Go on to where all holds; whether anything may be proven beyond."""
        n_proven = len(anchors) if holds.all() else int(holds.argmin())
        if n_proven:
            self.reached = anchors[n_proven - 1].end
        self.n_anchors += len(anchors)
        return n_proven == len(anchors)


@dataclass(frozen=True)
class PathCertifier:
    """Certifies how far images may be transformed.

    Attributes
    ----------
    images : AttackedImages of length m
        Rows, and what can be done to them.
    judge : Judge
        How claims about anchors are proven.
    classes : ndarray of shape (n_classes,)
        Labels.
    noise : Noise
        Smoothing distribution.
    budget : ErrorBudget or None
        Level of a row, for both of its sides; None where claims are exact.
    rho : float
        Largest radius of a ball, where noise is added.
    tolerance : float
        How far attacked images may be from transformed ones, in the units of X.
    before : str or None
        What images go through before noise is added, in words.
    verbose : int or bool
        Whether progress is shown.
    """

    images: AttackedImages
    judge: Judge
    classes: NDArray[Any]
    noise: Noise
    budget: ErrorBudget | None
    rho: float
    tolerance: float = 0.0
    before: str | None = None
    verbose: Any = False

    def certify(self) -> PathCertificate:
        """Certificate of all rows."""
        images, m = self.images, len(self.images)
        self.judge.refuse_hopeless(self.rho, images.seen.n_features)
        per_row = 2 * _ANCHORS_AT_ONCE * max(1, images.seen.n_features)
        step = max(1, _VALUES_AT_ONCE // per_row)
        reached, n_anchors = np.zeros((m, 2)), np.zeros(m, np.int64)
        chosen, n_draws = np.zeros(m, np.intp), np.zeros(m, np.int64)
        with progress_bar(m, "certifying", " rows", shown=self.verbose) as bar:
            for first in range(0, m, step):
                rows = np.arange(first, min(first + step, m))
                choice, chosen[rows], n_first = self.judge.choose(images.seen[rows])
                n_draws[rows] = n_first
                for side in self._walk(rows, choice, n_draws):
                    reached[side.row, (side.sign + 1) // 2] = side.reached
                    n_anchors[side.row] += side.n_anchors
                bar.update(len(rows))
        return self._certificate(chosen, reached, n_anchors, n_draws)

    def _walk(
        self, rows: NDArray[np.intp], choice: NDArray[Any], n_draws: NDArray[np.int64]
    ) -> list[_Side]:
        """Go outwards on both sides of some rows, and count their draws."""
        sides = [self._side(int(row), sign) for row in rows for sign in (-1, 1)]
        active = sides
        while active:
            waves = [(side, wave) for side in active if (wave := side.next_anchors())]
            if not waves:
                break
            of_anchor = [side.row for side, wave in waves for _ in wave]
            anchors = [anchor for _, wave in waves for anchor in wave]
            ends = np.repeat(*_ends([len(wave) for _, wave in waves]))
            holds, spent = self.judge.holds(
                self.images.at(of_anchor, [anchor.parameter for anchor in anchors]),
                choice[np.array(of_anchor) - rows[0]],
                np.array([anchor.distance for anchor in anchors]),
                _behind(ends),
            )
            np.add.at(n_draws, of_anchor, spent)
            active, first = [], 0
            for side, wave in waves:
                if side.take(wave, holds[first : first + len(wave)]):
                    active.append(side)
                first += len(wave)
        return sides

    def _side(self, row: int, sign: int) -> _Side:
        allowance = self.images.stretch * self.tolerance + self.images.rounding(row)
        if not allowance < self.rho:
            raise ValueError(
                f"rho={self.rho:.4g} has to be larger than what images may differ besides, which "
                f"is {allowance:.4g} in row {row}, where noise is added. Use a smaller tolerance, "
                "or a larger rho."
            )
        return _Side(row, sign, cover(self.images.curve(row, sign), self.rho, allowance))

    def _certificate(
        self,
        chosen: NDArray[np.intp],
        reached: NDArray[np.float64],
        n_anchors: NDArray[np.int64],
        n_draws: NDArray[np.int64],
    ) -> PathCertificate:
        return PathCertificate(
            prediction=self.classes[chosen],
            left=reached[:, 0] + 0.0,
            right=reached[:, 1] + 0.0,
            n_anchors=n_anchors,
            n_draws=n_draws,
            classes=self.classes,
            transformation=self.images.transformation,
            tolerance=self.tolerance,
            rho=self.rho,
            shape=self.images.given.shape,
            noise=self.noise,
            budget=self.budget,
            before=self.before,
        )


def _ends(lengths: list[int]) -> tuple[NDArray[np.intp], list[int]]:
    """Where parts of these lengths end, and the lengths."""
    return np.cumsum(lengths), lengths


def _behind(ends: NDArray[np.intp]) -> Needless:
    """Anchors behind others on the same side, which ends at these positions."""

    def behind(failed: NDArray[np.intp]) -> NDArray[np.intp]:
        parts = [np.arange(position + 1, ends[position]) for position in failed]
        return np.concatenate([np.zeros(0, np.intp), *parts])

    return behind
