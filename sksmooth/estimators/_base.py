"""What every smoother shares: its noise, and how its base model is fitted under it."""

from copy import copy
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_method_params, check_is_fitted

from sksmooth.arguments._numbers import NORMS, read_norm
from sksmooth.base_models._failures import explained
from sksmooth.base_models._names import name_of
from sksmooth.base_models._one_row import check_answers, comparable_answers, is_plain
from sksmooth.engine._augmentation import augment
from sksmooth.engine._streams import Purpose, Streams, derived_seed
from sksmooth.engine._workers import LibraryThreads
from sksmooth.estimators._cost import warn_of_costly_fit
from sksmooth.estimators._inner_validation import takes_groups, warn_of_copies_on_both_sides
from sksmooth.estimators._noise_training import hand_noise_down, part_that_adds_noise
from sksmooth.estimators._wrapper import BaseWrapper
from sksmooth.inputs._checks import largest_entry
from sksmooth.inputs._layout import Layout
from sksmooth.inputs._scale import scale_of_columns, scale_of_numbers
from sksmooth.inputs._table import (
    category_labels,
    numeric_part,
    read_levels,
    read_table,
    scale_of_table,
)
from sksmooth.noise._base import is_added
from sksmooth.noise._categories._joint import joint_trade_off
from sksmooth.noise._lattice import Lattice, Rounding

# What `norm` may be.
NORM_CONSTRAINT = [
    Interval(Real, 1, None, closed="left"),
    Options(Real, {np.inf}),
    StrOptions(set(NORMS)),
    None,
]

# Noisy copies of a row that a base model is asked about before it votes.
_N_NOISY = 62


class BaseSmoother(BaseWrapper):
    """Base class of the estimators that perturb the inputs of a base model.

    A subclass is final. It has the parameters below, and `fit` calls `_fit_base_model` and leaves
    `noise_` as well, and `_lattice`.
    """

    # What inputs and noise are rounded to before they are added; None: nothing is.
    _lattice: Lattice | None = None

    _parameter_constraints: ClassVar[dict] = {
        **BaseWrapper._parameter_constraints,
        "feature_scale": [StrOptions({"iqr", "std"}), "array-like", dict, None],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "n_augment": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
        "verbose": ["verbose"],
    }

    # Whether fit has asked the base model about rows.
    _has_asked = True

    _layout = None  # where noise is added in the units of X

    def _arranged_at_fit(self, inputs, table=None):
        """Settle the scale of the columns; return the inputs as noise is added to them."""
        given, self._layout = self.feature_scale, None
        numeric = inputs if table is None else numeric_part(inputs, table)
        if table is not None and np.shape(given) == inputs.shape:
            given = np.delete(np.asarray(given, dtype=float), table.positions)
        scale = None if given is None else scale_of_columns(given, numeric)
        if table is not None:
            scale = scale_of_table(scale, inputs, table)
        self.feature_scale_ = scale
        if scale is not None:
            self._layout = Layout(scale, table)
        return inputs.arranged(self._layout)

    def _table_of(self, X):
        """Return the categorical columns of a data frame, where they are not refused."""
        labels = [] if self.categorical == "refuse" else category_labels(X)
        if not labels:
            return None
        noise = None if self.categorical == "fixed" else self.categorical
        return read_levels(X, labels, noise)

    def _refuse_transformations(self):
        """Refuse noise that transforms inputs where what is proved is about what is added."""
        if self.noise_.attack is not None:
            raise ValueError(
                f"{self.noise_!r} transforms whole inputs, and {type(self).__name__} covers "
                "perturbations that are added. Use noise that is added, such as noise='gaussian', "
                "or SmoothedClassifier."
            )

    def _wanted_norm(self):
        """Return the norm that was asked for, as a number; None for that of the noise."""
        return None if self.norm is None else read_norm(self.norm)

    def _refuse_noise_on_some_columns(self, rows=None):
        """Refuse noise that is not added where some columns are to bear none, or a unit of own."""
        if self._layout is not None and self.noise_.attack is not None:
            given = "feature_scale" if self._layout.table is None else "categorical"
            raise ValueError(
                f"{self.noise_!r} transforms whole inputs, in the units of X: columns cannot have "
                f"scales of their own or be categories. Leave out {given}."
            )
        if rows is None:
            return
        if self._layout is not None and self._layout.table is not None:
            if self._layout.table.law is not None:
                # refuses other noises and norms by name
                joint_trade_off(self.noise_, rows.n_features, self._wanted_norm())
        if rows.noisy is not None and not is_added(self.noise_):
            raise ValueError(
                f"{self.noise_!r} replaces what it finds in every column, and feature_scale is 0 "
                "for some. Use noise that is added, such as noise='laplace' or noise='uniform', or "
                "a positive feature_scale."
            )

    def _arranged_without_data(self):
        """Settle the scale where there is nothing that it could be read off."""
        given = self.feature_scale
        self.feature_scale_ = None if given is None else scale_of_numbers(given)
        self._layout = None if given is None else Layout(self.feature_scale_)

    def _read_inputs(self, X):
        table = None if self._layout is None else self._layout.table
        if table is None:
            return super()._read_inputs(X).arranged(self._layout)
        return read_table(X, table, owner=self).arranged(self._layout)

    def _fit_base_model(self, X, inputs, y, params):
        """Fit a clone of the base model on noisy copies of X; a frozen one is left as it is.

        A model (or the first step of a Pipeline) with a method `train_under` is given the noise
        and X itself instead.
        """
        model = clone(self._base_model())
        if isinstance(model, FrozenEstimator):
            return model
        with_noise = part_that_adds_noise(model)
        if with_noise is None:
            self._say_that_it_is_trained_again(stacklevel=4)
        if with_noise is not None and self._layout is not None:
            raise ValueError(
                f"{name_of(with_noise)} adds noise to its training data by itself, the same to all "
                "columns, and knows no feature_scale. Scale X before this estimator, in a Pipeline."
            )
        if with_noise is not None:
            hand_noise_down(with_noise, self._streams().noise)
        elif self.n_augment:
            n_copies = int(self.n_augment)
            warn_of_copies_on_both_sides(model, n_copies, len(inputs), stacklevel=3)
            warn_of_costly_fit(model, inputs, n_copies, stacklevel=3)
            copies = np.tile(np.arange(len(inputs)), n_copies)
            stream = self._streams().of(Purpose.AUGMENTATION, inputs)
            X = inputs.to_container(augment(inputs, stream, n_copies))
            y = None if y is None else y[copies]
            params = _check_method_params(inputs.values, params, indices=copies)
            if takes_groups(model):
                params = {"groups": copies, **params}
        self._seed_base_model(model)
        n_values = len(inputs) * inputs.n_features * max(1, int(self.n_augment))
        threads = LibraryThreads(1, n_values)  # small fits wait for threads, not for work
        with threads.around(), explained(model, X, y):
            return model.fit(X, y, **params)

    def for_scoring(self):
        """Return a copy with other draws: a model is not certified by those it was chosen by.

        Returns
        -------
        smoother : object of this class
        """
        scorer = copy(self)
        if self._seed is not None:
            scorer._seed = derived_seed(self._seed, Purpose.SCORING)
        return scorer

    def _refuse_unsteady_answers(self, model, inputs, ask):
        """Refuse a model that is no function of one row, before any sampling.

        What `fit` has asked need not be asked again, but for code that may do anything. A single
        row is asked about in the company of noisy copies.
        """
        if self._has_asked and (is_plain(model) or comparable_answers(model) is not None):
            return
        first, n_noisy = inputs[:2], _N_NOISY
        draws = self.noise_.draw(n_noisy, inputs.shape, np.random.default_rng(0), inputs.dtype)
        if inputs.noisy is not None:
            draws[:, ~inputs.noisy] = 0
        noisy = self.noise_.perturb(first.values[:1], draws).reshape(-1, *inputs.shape)
        sample = first.with_values(np.concatenate([first.values, noisy]))
        check_answers(model, sample, ask, n_noisy=n_noisy)

    def _lattice_for(self, inputs):
        """Choose what inputs and noise are rounded to, by training data where there are some.

        Without data sums are formed in float64, whose range is large enough for any inputs that
        the noise is not lost in.
        """
        if not is_added(self.noise_):
            return None
        if inputs is None:
            return Lattice.of(self.noise_, 0.0, None, np.float64)
        return Lattice.of(self.noise_, largest_entry(inputs), inputs.n_features, inputs.dtype)

    def _rounding_of(self, inputs):
        """Return what the rounding of inputs and draws takes from certificates."""
        return Rounding.of(self.noise_step_, self.noise_, inputs.n_features)

    def _covered_radius(self, inputs, radius, norm):
        """Return the distance on the lattice that a radius becomes at the most, rounded up.

        Both inputs move when they are rounded, and, where X is divided by a scale, each quotient
        is off by half a unit in the last place.
        """
        if not radius:
            return 0.0
        covered = radius + 2.0 * self._rounding_of(inputs).half_cell(norm)
        if inputs.layout is not None:
            # without a lattice noise is splitting noise, for which inputs far out are all alike
            is_added = self._lattice is not None
            largest = self._lattice.largest_input if is_added else 1.0 + 8.0 * self.noise_.sigma
            blur = 2.0**-50 * largest * inputs.n_features ** (1.0 / norm)
            covered += radius * 2.0**-50 + blur * (1.0 + 1e-9)
        return covered * (1.0 + 1e-14)

    @property
    def noise_step_(self):
        """Step of the lattice that inputs and noise are rounded to; None: they are not."""
        check_is_fitted(self, "noise_")
        return None if self._lattice is None else self._lattice.step

    def _streams(self):
        """Return the draws of one call: those of the seed, or fresh ones."""
        return Streams(self.noise_, self._entropy(), self._lattice)

    def _entropy(self):
        """Return the seed of one call."""
        return np.random.SeedSequence().entropy if self._seed is None else int(self._seed)

    def _engine_options(self):
        """Return how the engine is to do its work."""
        return {
            "batch_size": None if self.batch_size == "auto" else int(self.batch_size),
            "n_jobs": self.n_jobs,
            "verbose": self.verbose,
        }
