"""One call of `SmoothedClassifier.certify`: what its certificates share, and its checks."""

import numpy as np
from tqdm.auto import tqdm

from sksmooth.bounds import plan_looks
from sksmooth.certificates import ClassificationCertificate
from sksmooth.certificates._error_budget import alpha_of_one_bound
from sksmooth.certifiers._options import refuse_too_few_draws
from sksmooth.certifiers._stopping import count_as_needed, decide, draws_for_radius
from sksmooth.engine._streams import Purpose
from sksmooth.exceptions import UnreachableRadiusError
from sksmooth.limits import largest_radius

# Draws that estimate the vote share before the draws that prove it are sized.
_PILOT = 1000


class Certification:
    """The settings of one call, and the three ways to take votes.

    Parameters
    ----------
    smoother : SmoothedClassifier
        Fitted.
    rows : Inputs of length m
        Inputs.
    target : ndarray of shape (m,) or None
        Radius to decide on.
    structure : Voter or None
        What is known of the base model.
    bilateral : bool
        Bound the shares of the other classes too, as `top_k` does anyway.
    n_joint : int
        Number of rows that share alpha.
    alpha : float, default=None
        Level; that of the smoother by default.
    top_k : int, default=1
        Number of places that the predicted class may fall back to.
    """

    def __init__(
        self, smoother, rows, target, structure, *, bilateral, n_joint, alpha=None, top_k=1
    ):
        self.smoother = smoother
        self.rows = rows
        self.target = target
        self.structure = structure
        self.settings = {
            "classes": smoother.classes_,
            "noise": smoother.noise_,
            "alpha": smoother.alpha if alpha is None else alpha,
            "n_features": rows.n_features,
            "norm": smoother.norm,
            "bilateral": bilateral and len(smoother.classes_) > 2 and top_k == 1,
            "n_simultaneous": n_joint,
            "top_k": top_k,
        }
        self.stream = smoother._stream(rows, Purpose.ESTIMATION)

    @classmethod
    def from_start(cls, smoother, rows, target, start, structure):
        """Take the level and the kind of statement from an earlier certificate."""
        return cls(
            smoother,
            rows,
            target,
            structure,
            bilateral=start.bilateral,
            n_joint=start.n_simultaneous,
            alpha=start.alpha,
            top_k=start.top_k,
        )

    def fixed(self):
        """As many draws for every row."""
        n_draws = self.smoother.n_estimation
        self._refuse_hopeless(alpha_spent=1.0)
        prediction = self._select(self._selection_votes())
        counts = self._count(self.rows, self.stream, n_draws, progress="certifying")
        return self._certificate(prediction, counts)

    def within(self, rtol):
        """As many draws as each row needs for nearly the radius that all draws would prove."""
        smoother = self.smoother
        self._refuse_hopeless(alpha_spent=1.0)
        prediction = self._select(self._selection_votes())
        n_pilot = max(smoother.n_selection, min(_PILOT, smoother.n_estimation // 10))
        stream = smoother._stream(self.rows, Purpose.PILOT)
        pilot = self._count(self.rows, stream, n_pilot, progress="sizing")

        def radii_of(positions, votes):
            certificate = self._certificate(prediction[positions], votes)
            if certificate.label_radius is not None:
                return certificate.label_radius
            return certificate.radius[:, None]

        needed = draws_for_radius(pilot, smoother.n_estimation, rtol, radii_of)
        counts = np.zeros_like(pilot)
        with self._progress(needed.sum(), "certifying", " draws") as bar:
            count_as_needed(self._counter(bar), needed, counts)
        return self._certificate(prediction, counts)

    def decide(self, start=None):
        """Draws until each row is decided at its target radius."""
        smoother, m = self.smoother, len(self.rows)
        n_calls = start.n_calls if start is not None else 0
        looks = plan_looks(smoother.n_estimation, n_calls)
        if start is None:
            self._refuse_hopeless(alpha_spent=looks[-1].alpha_spent)
            prediction = self._select(self._selection_votes())
            counts = np.zeros((m, len(smoother.classes_)), np.int64)
            alpha_spent = np.full(m, looks[0].alpha_spent)
        else:
            prediction, counts = start.prediction, start.counts.copy()
            alpha_spent = np.array(start.alpha_spent)

        def certify(positions, votes, share):
            return self._certificate(
                prediction[positions],
                votes,
                target_radius=self.target[positions],
                alpha_spent=share,
                n_calls=n_calls + 1,
            )

        with self._progress(m, "deciding", " rows") as bar:
            decide(
                self._counter(),
                certify,
                counts,
                alpha_spent,
                np.searchsorted(smoother.classes_, _first(prediction)),
                looks,
                bar.update,
            )
        return certify(np.arange(m), counts, alpha_spent)

    def _selection_votes(self):
        return self.smoother._selection_votes(self.rows, self.structure)

    def _count(self, rows, stream, n_draws, **options):
        return self.smoother._count(rows, stream, n_draws, self.structure, **options)

    def _select(self, votes):
        classes, top_k = self.smoother.classes_, self.settings["top_k"]
        if top_k == 1:
            return classes[votes.argmax(axis=1)]
        return classes[np.argsort(-votes, axis=1, kind="stable")[:, :top_k]]

    def _certificate(self, prediction, counts, **more):
        return ClassificationCertificate.from_counts(prediction, counts, **self.settings, **more)

    def _counter(self, bar=None):
        """Votes of the rows at some positions; the bar advances by their number."""

        def count(positions, first_draw, n_draws):
            chosen = self.rows.choose(positions)
            votes = self._count(chosen, self.stream, n_draws, first_draw=first_draw)
            if bar is not None:
                bar.update(votes.sum())
            return votes

        return count

    def _progress(self, total, description, unit):
        return tqdm(
            total=int(total),
            desc=description,
            unit=unit,
            unit_scale=True,
            disable=not self.smoother.verbose,
        )

    def _alpha_of_one_bound(self):
        s = self.settings
        return alpha_of_one_bound(
            s["alpha"] - s["noise"].own_alpha(s["n_features"]),
            s["n_simultaneous"],
            s["bilateral"],
            s["top_k"],
            len(s["classes"]),
        )

    def _refuse_alpha_of_the_noise(self):
        """Refuse noise whose own table takes all of alpha."""
        own = self.settings["noise"].own_alpha(self.settings["n_features"])
        if own >= self.settings["alpha"]:
            raise ValueError(
                f"alpha={self.settings['alpha']:g} is used up by the sampled table of "
                f"{self.settings['noise']!r}. Use a larger alpha, or a smaller table_alpha."
            )

    def _refuse_hopeless(self, alpha_spent):
        """Refuse, before any sampling, a level or a radius that no vote could reach."""
        self._refuse_alpha_of_the_noise()
        alpha = self._alpha_of_one_bound() * alpha_spent
        n_draws = self.smoother.n_estimation
        if self.settings["top_k"] == 1:
            refuse_too_few_draws(n_draws, alpha)
        if self.target is None or not len(self.target):
            return

        def reach(n):
            s = self.settings
            shared = {name: s[name] for name in ("n_features", "norm", "top_k")}
            return largest_radius(s["noise"], n, alpha, n_classes=len(s["classes"]), **shared)

        wanted, ceiling = self.target.min(), reach(n_draws)
        if wanted <= ceiling:
            return
        n = n_draws
        while n < 10**9 and reach(n) < wanted:
            n *= 2
        more = f" n_estimation={n} would reach it." if reach(n) >= wanted else ""
        raise UnreachableRadiusError(
            f"No row can be certified at radius={wanted:g}: a unanimous vote of "
            f"n_estimation={n_draws} draws of {self.settings['noise']!r} proves {ceiling:.4g} at "
            f"most.{more} A larger sigma reaches further too."
        )


def _first(prediction):
    """Predicted class, also where it is the first of several."""
    return prediction if prediction.ndim == 1 else prediction[:, 0]
