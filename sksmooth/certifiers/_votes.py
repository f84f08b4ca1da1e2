"""Certificates from votes: of a fixed number of draws, or of as many as each input needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.bounds import plan_looks
from sksmooth.certificates import ClassificationCertificate, ErrorBudget
from sksmooth.certificates._counts import ranked_classes
from sksmooth.certificates._votes import n_bounds_of_vote
from sksmooth.certifiers._options import refuse_too_few_draws
from sksmooth.certifiers._stopping import Needless, count_as_needed, decide, draws_for_radius
from sksmooth.engine._counting import VoteCounter
from sksmooth.engine._streams import Purpose
from sksmooth.exceptions import UnreachableRadiusError
from sksmooth.limits import largest_radius
from sksmooth.noise import Noise
from sksmooth.noise._categories._columns import CategoryColumns

# Draws that estimate class probabilities before the draws that prove them are sized.
_PILOT = 1000

# Numbers of draws beyond this are not proposed.
_MOST_DRAWS = 10**9


@dataclass(frozen=True)
class VoteCertifier:
    """Certifies the majority vote: by how much it wins is how far an input can move.

    Attributes
    ----------
    counter : VoteCounter
        Voter, inputs, noise.
    classes : ndarray of shape (n_classes,)
        Labels.
    budget : ErrorBudget
        Level, and how many inputs share it.
    norm : float
        Norm of the radius.
    n_selection, n_estimation : int
        Draws that select the prediction, and draws (at most) that certify it.
    bilateral : bool
        Bound the probabilities of the other classes too, as `top_k` does anyway.
    top_k : int
        Number of places that the predicted class may fall back to.
    target : ndarray of shape (m,) or None
        Radius to decide on.
    fit_id : str or None
        Identifies the fit of the model: decisions are bound to it and to their rows.
    changes : int or None
        Number of changed categories to decide on, beside the target radius.
    is_checked : bool
        Whether all inputs, of which these are a part, were checked before.
    """

    counter: VoteCounter
    classes: NDArray[Any]
    budget: ErrorBudget
    norm: float
    n_selection: int
    n_estimation: int
    bilateral: bool = False
    top_k: int = 1
    target: NDArray[np.float64] | None = None
    fit_id: str | None = None
    changes: int | None = None
    is_checked: bool = False

    @property
    def _categories(self) -> CategoryColumns | None:
        """Noise on categorical columns."""
        layout = self.counter.inputs.layout
        law: CategoryColumns | None = (
            None if layout is None or layout.table is None else layout.table.law
        )
        return law

    @cached_property
    def _levels(self) -> NDArray[np.int64] | None:
        """Positions of the levels of categorical columns under noise."""
        if self._categories is None:
            return None
        inputs = self.counter.inputs
        assert inputs.layout is not None
        levels: NDArray[np.int64] = inputs.values[:, inputs.layout.table.positions].astype(np.int64)
        return levels

    @property
    def noise(self) -> Noise:
        """Smoothing distribution."""
        noise: Noise = self.counter.streams.noise
        return noise

    @property
    def _noise_step(self) -> float | None:
        lattice = self.counter.streams.lattice
        return None if lattice is None else float(lattice.step)

    @cached_property
    def _moved(self) -> NDArray[np.float64] | None:
        """How far the inputs move when they are rounded."""
        lattice = self.counter.streams.lattice
        if lattice is None:
            return None
        inputs = self.counter.inputs
        return lattice.moved(inputs.under_noise, divided=inputs.layout is not None)

    @property
    def _n_inputs(self) -> int:
        return len(self.counter.inputs)

    def check(self) -> None:
        """Refuse, before any sampling, a level or a radius that no vote could reach."""
        if self.is_checked:
            return
        budget = self.budget
        if self.target is not None:
            budget = replace(budget, spent=plan_looks(self.n_estimation)[-1].alpha_spent)
        self._refuse_hopeless(budget)

    def fixed(self) -> ClassificationCertificate:
        """As many draws for every input."""
        self.check()
        selection, every = self._select(), np.arange(self._n_inputs)
        counts = self._count(Purpose.ESTIMATION, self.n_estimation, label="certifying")
        return self._certificate(selection, counts, every)

    def within(self, rtol: float) -> ClassificationCertificate:
        """As many draws as each input needs for nearly the radius that all draws would prove."""
        self.check()
        selection = self._select()
        n_pilot = max(self.n_selection, min(_PILOT, self.n_estimation // 10))
        pilot = self._count(Purpose.PILOT, n_pilot, label="sizing")

        def radii_of(positions: NDArray[np.intp], votes: NDArray[Any]) -> NDArray[np.float64]:
            certificate = self._certificate(selection, votes, positions)
            if certificate.label_radius is not None:
                return certificate.label_radius
            return certificate.radius[:, None]

        needed = draws_for_radius(pilot, self.n_estimation, rtol, radii_of)
        counts = np.zeros_like(pilot)
        with self.counter.progress(needed.sum(), "certifying", " draws") as bar:
            count_as_needed(self._more_votes(bar), needed, counts)
        return self._certificate(selection, counts, np.arange(self._n_inputs))

    def decide(
        self,
        start: ClassificationCertificate | None = None,
        *,
        selection: NDArray[np.int64] | None = None,
        needless: Needless | None = None,
    ) -> ClassificationCertificate:
        """Draws until each input is decided at its target radius.

        Votes that rank the classes may be given, if they are independent of the draws that certify.
        `needless` says which inputs need no decision when others are given up.
        """
        n_calls = start.n_calls if start is not None else 0
        looks = plan_looks(self.n_estimation, n_calls)
        if start is None:
            self.check()
            selection = self._select() if selection is None else selection
            counts = np.zeros((self._n_inputs, len(self.classes) + 1), np.int64)
            spent = np.full(self._n_inputs, looks[0].alpha_spent)
        else:
            assert start.selection is not None  # it was made here
            selection, counts = start.selection, _with_undecided(start.counts, start.n_draws)
            spent = np.array(start.alpha_spent)

        def certify(
            positions: NDArray[np.intp], votes: NDArray[np.int64], spent: Any
        ) -> ClassificationCertificate:
            budget = replace(self.budget, spent=spent, n_calls=n_calls + 1)
            return self._certificate(selection, votes, positions, budget)

        with self.counter.progress(self._n_inputs, "deciding", " rows") as bar:
            decide(
                self._more_votes(),
                certify,
                counts,
                spent,
                selection.argmax(axis=1),
                looks,
                bar.update,
                needless,
            )
        decided = certify(np.arange(self._n_inputs), counts, spent)
        row_ids = self.counter.inputs.fingerprints()
        return replace(decided, fit_id=self.fit_id, row_ids=row_ids)

    def _select(self) -> NDArray[np.int64]:
        """Votes that rank the classes."""
        return self.counter.count(Purpose.SELECTION, self.n_selection, label="selecting")

    def _count(self, purpose: Purpose, n_draws: int, **which: Any) -> NDArray[np.int64]:
        """Count votes, with a last column for those that are for nobody."""
        votes = self.counter.count(purpose, n_draws, **which)
        return _with_undecided(votes, np.full(len(votes), n_draws))

    def _certificate(
        self,
        selection: NDArray[np.int64],
        counts: NDArray[np.int64],
        positions: NDArray[np.intp],
        budget: ErrorBudget | None = None,
    ) -> ClassificationCertificate:
        """Certify the inputs at some positions from their counts, as `_count` returns them."""
        chosen = selection[positions]
        return ClassificationCertificate.from_counts(
            ranked_classes(chosen, self.classes, self.top_k),
            counts[:, :-1],
            classes=self.classes,
            noise=self.noise,
            n_features=self.counter.inputs.n_features,
            alpha=self.budget if budget is None else budget,
            norm=self.norm,
            bilateral=self.bilateral,
            top_k=self.top_k,
            target_radius=None if budget is None else _at(self.target, positions),
            selection=chosen,
            n_draws=counts.sum(axis=1),
            noise_step=self._noise_step,
            moved=_at(self._moved, positions),
            categories=self._categories,
            levels=_at(self._levels, positions),
            changes=None if budget is None else self.changes,
        )

    def _more_votes(self, bar: Any = None) -> Callable[[NDArray[np.intp], int, int], Any]:
        """Votes of the inputs at some positions; the bar advances by their number."""

        def count(positions: NDArray[np.intp], first_draw: int, n_draws: int) -> Any:
            votes = self._count(
                Purpose.ESTIMATION, n_draws, first_draw=first_draw, positions=positions
            )
            if bar is not None:
                bar.update(votes.sum())
            return votes

        return count

    def _refuse_hopeless(self, budget: ErrorBudget) -> None:
        n_draws = self.n_estimation
        n_bounds = n_bounds_of_vote(len(self.classes), self.bilateral, self.top_k)
        alpha = budget.for_bounds(n_bounds).of_one_bound
        if self.top_k == 1:
            refuse_too_few_draws(n_draws, alpha)
        if self.target is None or not len(self.target):
            return

        def reach(n: int) -> float:
            return largest_radius(
                self.noise,
                n,
                alpha,
                n_features=self.counter.inputs.n_features,
                norm=self.norm,
                top_k=self.top_k,
                n_classes=len(self.classes),
                noise_step=self._noise_step,
            )

        wanted, ceiling = self.target.min(), reach(n_draws)
        if wanted <= ceiling:
            return
        n = n_draws
        while n < _MOST_DRAWS and reach(n) < wanted:
            n *= 2
        more = f" n_estimation={n} would reach it." if reach(n) >= wanted else ""
        raise UnreachableRadiusError(
            f"No row can be certified at radius={wanted:g}: a unanimous vote of "
            f"n_estimation={n_draws} draws of {self.noise!r} proves {ceiling:.4g} at "
            f"most.{more} A larger sigma reaches further too."
        )


def _with_undecided(votes: NDArray[np.int64], n_draws: NDArray[np.int64]) -> NDArray[np.int64]:
    """Votes with a last column for those that are for nobody."""
    return np.column_stack([votes, n_draws - votes.sum(axis=1)])


def _at(values: NDArray[Any] | None, positions: NDArray[np.intp]) -> NDArray[Any] | None:
    return None if values is None else values[positions]
