"""Options of `certify`: what they mean, and which do not go together."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.bounds import min_draws_to_certify, plan_looks
from sksmooth.certificates import ClassificationCertificate
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise


def refuse_too_few_draws(n_estimation: int, alpha: float) -> None:
    """Refuse a number of draws with which even a unanimous vote proves nothing."""
    smallest = min_draws_to_certify(alpha)
    if n_estimation < smallest:
        raise ValueError(
            f"n_estimation={n_estimation} is too small to certify anything at the level "
            f"{alpha:g} of one bound, even with a unanimous vote. "
            f"Use n_estimation >= {smallest}, or a larger alpha."
        )


def check_radius(radius: Any, n_rows: int) -> NDArray[np.float64] | None:
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


def check_certify_options(
    rtol: Any,
    radius: Any,
    start: Any,
    bilateral: bool,
    simultaneous: bool,
    top_k: Any,
    n_classes: int,
) -> None:
    """Refuse options of `certify` that do not go together."""
    if not (isinstance(top_k, Integral) and 1 <= int(top_k) < max(n_classes, 2)):
        raise ValueError(
            f"top_k must be a whole number from 1 to {max(n_classes, 2) - 1}, one less than the "
            f"number of classes. Got {top_k!r}."
        )
    if not (isinstance(rtol, Real) and 0 <= float(rtol) < 1):
        raise ValueError(f"rtol must lie in [0, 1), got {rtol!r}.")
    if rtol and radius is not None:
        raise ValueError(
            f"rtol={rtol!r} is about the largest radius, and has no meaning where one radius is "
            "decided. Leave out rtol or radius."
        )
    if start is not None and radius is None:
        raise ValueError("start continues a decision: pass the radius to decide on as well.")
    if start is not None and (bilateral or simultaneous or int(top_k) > 1):
        raise ValueError("start brings its own bilateral, simultaneous and top_k; leave them out.")


def check_start(
    start: Any, inputs: Inputs, *, noise: Noise, classes: NDArray[Any], n_estimation: int
) -> None:
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
    if not plan_looks(n_estimation, start.n_calls):
        raise ValueError(
            f"n_estimation={n_estimation} is too small to go on with; use at least 64."
        )
    if len(start) != len(inputs):
        raise ValueError(
            f"start has {len(start)} rows and X has {len(inputs)}; pass the same rows."
        )
    theirs = (repr(start.noise), start.n_features, list(start.classes))
    ours = (repr(noise), inputs.n_features, list(classes))
    if theirs != ours:
        raise ValueError(
            "start was made with another noise, other classes or another number of features."
        )


def check_radii(radius: Any, n_rows: int) -> NDArray[np.float64]:
    """Return one positive radius per row, or say what is wrong."""
    try:
        radii = np.asarray(radius, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"radius must be a number or one per row, got {radius!r}.") from error
    if radii.shape not in ((), (n_rows,)):
        raise ValueError(
            f"radius must be a number or have shape ({n_rows},), one per row; got shape "
            f"{radii.shape}. For several radii per row use certify_curve."
        )
    if not ((radii > 0) & np.isfinite(radii)).all():
        raise ValueError(f"radius must be positive and finite, got {radius!r}.")
    return np.broadcast_to(radii, (n_rows,)).astype(float)


def check_n_radii(n_radii: Any) -> None:
    """Refuse to divide a level among no radii at all."""
    if not (isinstance(n_radii, Integral) and int(n_radii) >= 1):
        raise ValueError(f"At least one radius is needed, got {n_radii!r}.")
