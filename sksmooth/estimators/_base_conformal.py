"""What robust conformal predictors share: levels, ranks, and what may change between calls."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import Interval, StrOptions

from sksmooth.bounds._calibration import worst_case
from sksmooth.bounds._calibration_ranks import choose_copy_ranks
from sksmooth.certifiers.conformal._rank_rule import RankRule
from sksmooth.engine._copies import CopySampler
from sksmooth.engine._seeds import seed_from
from sksmooth.engine._streams import Streams
from sksmooth.estimators._base import NORM_CONSTRAINT, BaseSmoother
from sksmooth.exceptions import UninformativeSetsWarning
from sksmooth.inputs._checks import refuse_out_of_range
from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._table import read_table
from sksmooth.noise import CategoryNoise, Noise, make_noise
from sksmooth.noise._categories._after import AfterChanges
from sksmooth.noise._make import FAMILIES

# Parameters that a calibration rests on.
_OF_CALIBRATION = (
    "by_class",
    "changes",
    "confidence_level",
    "conformity_score",
    "k",
    "n_draws",
    "n_poisoned",
    "norm",
    "pac_delta",
    "radius",
)


class BaseConformal(BaseSmoother):
    """Base class of the predictors of sets and intervals that cover under perturbations.

    A subclass defines `fit`, which leaves `estimator_` and calls `_prepare_noise`, and
    `conformalize`, which calls `_begin_calibration` and `_keep`.
    """

    # What is predicted, and what it holds where it says nothing.
    _WHAT: ClassVar[str] = "set"
    _EVERYTHING: ClassVar[str] = "every label"

    _PARAMETERS_OF_CALLS: ClassVar[frozenset[str]] = frozenset(
        {*_OF_CALIBRATION, "batch_size", "n_jobs", "verbose"}
    )

    _parameter_constraints: ClassVar[dict] = {
        **BaseSmoother._parameter_constraints,
        "noise": [StrOptions(set(FAMILIES)), Noise],
        "norm": NORM_CONSTRAINT,
        "radius": [Interval(Real, 0, None, closed="left")],
        "categorical": [StrOptions({"refuse", "fixed"}), CategoryNoise],
        "changes": [Interval(Integral, 0, None, closed="left")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "k": [Interval(Integral, 1, None, closed="left"), None],
        "n_poisoned": [Interval(Integral, 0, None, closed="left")],
        "pac_delta": [Interval(Real, 0, 1, closed="neither"), None],
    }

    def _prepare_noise(self, rows):
        """Settle the noise, and what inputs and draws are rounded to."""
        if rows is None and self.categorical != "refuse":
            raise ValueError(
                f"categorical={self.categorical!r} needs the levels of training data: call fit "
                "with X and y."
            )
        self.noise_ = make_noise(self.noise, sigma=self.sigma)
        self._refuse_transformations()
        if rows is not None:
            # refuses norms that it cannot certify
            self.noise_.trade_off(rows.n_features, self._wanted_norm())
            self._refuse_noise_on_some_columns(rows)
        self._lattice = self._lattice_for(rows)
        self._forget_calibration()

    def _check_levels(self):
        """Refuse, before any work, levels and ranks that do not go together."""
        self._error_levels()
        if self.k is not None and self.k > self.n_draws:
            raise ValueError(
                f"k={self.k} is a rank among n_draws={self.n_draws} noisy copies. Use k of at most "
                "n_draws, or None."
            )

    def _error_levels(self):
        """Return one minus each confidence level."""
        levels = np.atleast_1d(np.asarray(self.confidence_level, dtype=float))
        if levels.ndim != 1 or not levels.size or not ((levels > 0) & (levels < 1)).all():
            raise ValueError(
                "confidence_level must be a number in (0, 1) or a list of such, for example 0.9; "
                f"got {self.confidence_level!r}."
            )
        return (1.0 - levels).tolist()

    def _forget_calibration(self):
        for name in ("lambda_", "k_", "k_test_", "calibration_level_", "_rule", "_at_calibration"):
            self.__dict__.pop(name, None)

    def _read(self, X):
        """Check X and the parameters before any work."""
        self._check_ready()
        self._check_levels()
        inputs = self._read_inputs(X)
        refuse_out_of_range(inputs, self._lattice)
        return inputs

    def _begin_calibration(self, inputs):
        """Choose ranks and levels, by the noise alone."""
        self._forget_calibration()
        worst = self._worst_case(inputs)
        clean = None if self.k is None else int(self.k)
        ranks = [
            choose_copy_ranks(alpha, int(self.n_draws), worst, clean=clean)
            for alpha in self._error_levels()
        ]
        delta = None if self.pac_delta is None else float(self.pac_delta)
        return RankRule(tuple(ranks), delta, int(self.n_poisoned))

    def _read_training(self, X):
        """Read X, and the levels of its categorical columns where they are not refused."""
        table = self._table_of(X)
        rows = read_inputs(X, owner=self) if table is None else read_table(X, table, owner=self)
        return self._arranged_at_fit(rows, table)

    def _worst_case(self, inputs):
        """Return what perturbations can make of the probability of a miss."""
        noise, changes = self.noise_, int(self.changes)
        if changes:
            table = None if inputs.layout is None else inputs.layout.table
            if table is None or table.law is None:
                raise ValueError(
                    f"changes={changes} is about categorical columns under noise, and there are "
                    "none. Pass categorical=CategoryNoise(...) and a data frame with such columns, "
                    "or leave changes at 0."
                )
            noise = AfterChanges(self.noise_, table.law, changes)
        norm = self._wanted_norm() or self.noise_.norm
        return worst_case(
            noise,
            self._covered_radius(inputs, float(self.radius), norm),
            n_features=inputs.n_features,
            norm=norm,
            failure=self._rounding_of(inputs).failure,
            changes=changes > 0,
        )

    def _keep(self, rule, thresholds, sizes, stacklevel=2):
        """Keep the thresholds, and warn where they let everything pass."""
        self._rule, self.lambda_ = rule, thresholds
        self.k_ = np.array([ranks.clean for ranks in rule.levels])
        self.k_test_ = np.array([ranks.test for ranks in rule.levels])
        self.calibration_level_ = np.array([ranks.level for ranks in rule.levels])
        self._at_calibration = {
            name: getattr(self, name) for name in _OF_CALIBRATION if hasattr(self, name)
        }
        for level, needed in zip(
            np.atleast_1d(self.confidence_level), rule.rows_needed(), strict=True
        ):
            self._warn_of_everything(level, needed, sizes, stacklevel + 1)

    def _warn_of_everything(self, level, needed, sizes, stacklevel):
        """Warn where too few rows are there; `sizes` maps what they are of to their number."""
        if needed is None:
            message = (
                f"No prediction {self._WHAT} at the confidence level {level:g} says anything: "
                f"radius={self.radius:g} is too large for n_draws={self.n_draws} draws of "
                f"{self.noise_!r}. Use more draws, a larger sigma or a smaller radius."
            )
        else:
            short = {name: n for name, n in sizes.items() if n < needed}
            if not short:
                return
            listed = ", ".join(f"{n} {name}" for name, n in list(short.items())[:5])
            more = ", ..." * (len(short) > 5)
            message = (
                f"Every prediction {self._WHAT} at the confidence level {level:g} holds "
                f"{self._EVERYTHING}: there are {listed}{more}, and {needed} are needed "
                f"(radius={self.radius:g}, n_draws={self.n_draws}). Calibrate with more rows, use "
                "more draws, or lower the confidence level or the radius."
            )
        warnings.warn(message, UninformativeSetsWarning, stacklevel=stacklevel + 1)

    def _check_calibrated(self):
        """Refuse what is not calibrated, or no longer is what was calibrated."""
        self._check_ready()
        if not hasattr(self, "lambda_"):
            raise NotFittedError(
                f"This {type(self).__name__} is not calibrated yet. Call conformalize(X, y) first, "
                "with rows that the base model was not trained on."
            )
        for name, value in self._at_calibration.items():
            now = getattr(self, name)
            if not (now is value or np.array_equal(now, value)):
                raise ValueError(
                    f"{name} was changed to {now!r} after conformalize, where it has its effect. "
                    "Call conformalize again, or set it back."
                )

    def _sampler(self, respond, inputs, random_state=None, *, n_values=1):
        """Return what samples outputs, by the seed of fit or by one of a call."""
        seed = self._entropy() if random_state is None else seed_from(random_state)
        return CopySampler(
            respond,
            inputs,
            Streams(self.noise_, seed, self._lattice),
            int(self.n_draws),
            n_values=n_values,
            **self._engine_options(),
        )
