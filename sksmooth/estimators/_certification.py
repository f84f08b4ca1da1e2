"""One call of `SmoothedClassifier.certify`: what its certificates share, and its checks."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from tqdm.auto import tqdm

from sksmooth._monte_carlo import Purpose
from sksmooth._sequential import count_as_needed, decide, draws_for_radius
from sksmooth.bounds import min_draws_to_certify, plan_looks
from sksmooth.certificates import ClassificationCertificate, alpha_of_one_bound
from sksmooth.exceptions import UnreachableRadiusError
from sksmooth.limits import largest_radius
from sksmooth.structure import LinearScores
from sksmooth.structure._gaussian_image import is_gaussian
from sksmooth.structure._hyperplane import exact_margin

# Draws that estimate the vote share before the draws that prove it are sized.
_PILOT = 1000

# Fewest floats per standard deviation with which rounded noise counts as noise.
_STEPS_PER_SIGMA = 1024


class Certification:
    """The settings of one call, and the three ways to take votes.

    Parameters
    ----------
    smoother : SmoothedClassifier
        Fitted.
    rows : Rows of length m
        Inputs.
    target : ndarray of shape (m,) or None
        Radius to decide on.
    structure : Structure or None
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
        self._refuse_hopeless(alpha_share=1.0)
        prediction = self._select(self._selection_votes())
        counts = self._count(self.rows, self.stream, n_draws, progress="certifying")
        return self._certificate(prediction, counts)

    def within(self, rtol):
        """As many draws as each row needs for nearly the radius that all draws would prove."""
        smoother = self.smoother
        self._refuse_hopeless(alpha_share=1.0)
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
            self._refuse_hopeless(alpha_share=looks[-1].alpha_share)
            prediction = self._select(self._selection_votes())
            counts = np.zeros((m, len(smoother.classes_)), np.int64)
            alpha_share = np.full(m, looks[0].alpha_share)
        else:
            prediction, counts = start.prediction, start.counts.copy()
            alpha_share = np.array(start.alpha_share)

        def certify(positions, votes, share):
            return self._certificate(
                prediction[positions],
                votes,
                target_radius=self.target[positions],
                alpha_share=share,
                n_calls=n_calls + 1,
            )

        with self._progress(m, "deciding", " rows") as bar:
            decide(
                self._counter(),
                certify,
                counts,
                alpha_share,
                np.searchsorted(smoother.classes_, _first(prediction)),
                looks,
                bar.update,
            )
        return certify(np.arange(m), counts, alpha_share)

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

    def _refuse_hopeless(self, alpha_share):
        """Refuse, before any sampling, a level or a radius that no vote could reach."""
        self._refuse_alpha_of_the_noise()
        alpha = self._alpha_of_one_bound() * alpha_share
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


def is_exact(structure, noise):
    """Whether the law of a single linear score is known, so that no vote is needed."""
    single = isinstance(structure, LinearScores) and len(structure.coef) == 1
    return single and is_gaussian(noise)


def _first(prediction):
    """Predicted class, also where it is the first of several."""
    return prediction if prediction.ndim == 1 else prediction[:, 0]


def exact_certificate(smoother, scores, rows, target):
    """Certificate of a linear classifier with two classes: the distance to its hyperplane."""
    norm = smoother.noise_.norm if smoother.norm is None else smoother.norm
    second, distance, p_lower = exact_margin(scores, rows, norm, smoother.noise_.sigma)
    m = len(rows)
    return ClassificationCertificate(
        prediction=smoother.classes_[second.astype(int)],
        radius=distance,
        p_lower=p_lower,
        p_upper=1.0 - p_lower,
        counts=np.zeros((m, 2), np.int64),
        n_draws=np.zeros(m, np.int64),
        classes=smoother.classes_,
        norm=norm,
        alpha=None,
        noise=clone(smoother.noise_),
        n_features=rows.n_features,
        target_radius=target,
        alpha_share=np.ones(m),
    )


def refuse_too_few_draws(n_estimation, alpha):
    """Refuse a number of draws with which even a unanimous vote proves nothing."""
    smallest = min_draws_to_certify(alpha)
    if n_estimation < smallest:
        raise ValueError(
            f"n_estimation={n_estimation} is too small to certify anything at the level "
            f"{alpha:g} of one bound, even with a unanimous vote. "
            f"Use n_estimation >= {smallest}, or a larger alpha."
        )


def refuse_noise_below_resolution(noise, rows):
    """Refuse noise that would be lost, or coarse, when it is added to numbers as large as in X.

    The certificate rests on the law of the noise; a sum of floats keeps only what lies above
    their spacing.
    """
    if not rows.values.size:
        return
    largest = max(abs(float(rows.values.max())), abs(float(rows.values.min())))
    spacing = float(np.spacing(np.asarray(largest, dtype=rows.dtype)))
    if noise.sigma < _STEPS_PER_SIGMA * spacing:
        raise ValueError(
            f"sigma={noise.sigma:g} is too small for X in {rows.dtype} with values up to "
            f"{largest:g}, whose floats are {spacing:.2g} apart: the noise would be rounded away. "
            "Scale or centre X, pass it in float64, or use a larger sigma."
        )


def check_radius(radius, n_rows):
    """Return the radius to decide on, one per row, or None."""
    if radius is None:
        return None
    target = np.asarray(radius, dtype=float)
    if target.shape not in ((), (n_rows,)):
        raise ValueError(
            f"radius must be a number or one number per row (shape ({n_rows},)), got an array of "
            f"shape {target.shape}."
        )
    if not (np.isfinite(target) & (target >= 0)).all():
        raise ValueError(f"radius must be finite and not negative, got {radius!r}.")
    return np.broadcast_to(target, (n_rows,)).copy()


def check_certify_options(rtol, radius, start, bilateral, simultaneous, top_k, n_classes):
    """Refuse options of `certify` that do not go together."""
    if not (isinstance(top_k, Integral) and 1 <= top_k < max(n_classes, 2)):
        raise ValueError(
            f"top_k must be a whole number from 1 to {max(n_classes, 2) - 1}, one less than the "
            f"number of classes. Got {top_k!r}."
        )
    if not (isinstance(rtol, Real) and 0 <= rtol < 1):
        raise ValueError(f"rtol must lie in [0, 1), got {rtol!r}.")
    if rtol and radius is not None:
        raise ValueError(
            f"rtol={rtol!r} is about the largest radius, and has no meaning where one radius is "
            "decided. Leave out rtol or radius."
        )
    if start is not None and radius is None:
        raise ValueError("start continues a decision: pass the radius to decide on as well.")
    if start is not None and (bilateral or simultaneous or top_k > 1):
        raise ValueError("start brings its own bilateral, simultaneous and top_k; leave them out.")


def check_start(start, smoother, rows):
    """Refuse a certificate whose votes cannot be continued."""
    if not isinstance(start, ClassificationCertificate):
        raise ValueError(f"start must be a ClassificationCertificate, got {type(start).__name__}.")
    if start.alpha is None:
        raise ValueError("start is exact: there is nothing to go on with.")
    if not start.n_calls:
        raise ValueError(
            "start spent all of its alpha on a fixed number of draws, so it cannot be continued. "
            "Start with a certificate that was made with certify(X, radius=...)."
        )
    if not plan_looks(smoother.n_estimation, start.n_calls):
        raise ValueError(
            f"n_estimation={smoother.n_estimation} is too small to go on with; use at least 64."
        )
    if len(start) != len(rows):
        raise ValueError(f"start has {len(start)} rows and X has {len(rows)}; pass the same rows.")
    theirs = (repr(start.noise), start.n_features, list(start.classes))
    ours = (repr(smoother.noise_), rows.n_features, list(smoother.classes_))
    if theirs != ours:
        raise ValueError(
            "start was made with another noise, other classes or another number of features."
        )
