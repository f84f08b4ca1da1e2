"""Options of `certify`: what they mean, and which do not go together."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.arguments._numbers import read_numbers
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


def check_radius(radius: Any, n_rows: int, *, positive: bool = False) -> NDArray[np.float64] | None:
    """Return one radius per row, or say what is wrong.

    None is returned as it is, unless radii have to be positive.
    """
    if radius is None and not positive:
        return None
    radii = read_numbers("radius", radius)
    if radii.shape not in ((), (n_rows,)):
        several = " For several radii per row use certify_curve." if positive else ""
        raise ValueError(
            f"radius must be a number or one number per row (shape ({n_rows},)), got an array of "
            f"shape {radii.shape}.{several}"
        )
    if not (np.isfinite(radii) & (radii > 0 if positive else radii >= 0)).all():
        wanted = "positive and finite" if positive else "finite and not negative"
        raise ValueError(f"radius must be {wanted}, got {radius!r}.")
    return np.broadcast_to(radii, (n_rows,)).copy()


def check_curve(radii: Any, n_rows: int) -> NDArray[np.float64]:
    """Return several radii for every row, one line for each, or say what is wrong."""
    line: Any = check_radius(radii, np.size(radii), positive=True)
    check_n_radii(len(line))
    return np.repeat(line[:, None], n_rows, axis=1)


def check_certify_options(
    rtol: Any,
    radius: Any,
    start: Any,
    bilateral: Any,
    simultaneous: Any,
    top_k: Any,
    n_classes: int,
) -> None:
    """Refuse options of `certify` that are of another kind, or do not go together."""
    if isinstance(simultaneous, str) and simultaneous == "holm":
        _check_holm(rtol, radius, start, top_k)
        simultaneous = True
    for name, value in (("bilateral", bilateral), ("simultaneous", simultaneous)):
        if not isinstance(value, (bool, np.bool_)):
            known = "True or False" if name == "bilateral" else "True, False or 'holm'"
            raise ValueError(f"{name} must be {known}, got {value!r}.")
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


def _check_holm(rtol: Any, radius: Any, start: Any, top_k: Any) -> None:
    """Refuse what the step-down method has no meaning for."""
    if radius is None:
        raise ValueError(
            "simultaneous='holm' decides all rows at a radius that is fixed in advance, and bounds "
            "no largest radius: pass radius, or simultaneous=True."
        )
    if rtol or start is not None or not isinstance(top_k, Integral) or int(top_k) != 1:
        raise ValueError(
            "simultaneous='holm' needs the same number of draws for every row, and one place: "
            "leave out rtol, start and top_k."
        )


def check_changes(changes: Any, radius: Any, inputs: Inputs) -> None:
    """Refuse changes of categories that cannot be decided on."""
    if changes is None:
        return
    if not isinstance(changes, Integral) or isinstance(changes, bool) or changes < 0:
        raise ValueError(f"changes must be a whole number, and not negative; got {changes!r}.")
    if radius is None:
        raise ValueError(
            "changes is about a decision: pass the radius to decide on as well. For all radii, "
            "ask certify(X).radius_after(changes)."
        )
    layout = inputs.layout
    if changes and (layout is None or layout.table is None or layout.table.law is None):
        raise ValueError(
            f"changes={changes} needs categorical columns under noise: fit with categorical="
            "CategoryNoise(...)."
        )


def check_start(
    start: Any,
    inputs: Inputs,
    *,
    noise: Noise,
    classes: NDArray[Any],
    n_estimation: int,
    fit_id: str,
    noise_step: float | None,
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
    if start.noise_step != noise_step:
        raise ValueError(
            f"start was made with the noise step {start.noise_step}, and this model rounds to "
            f"{noise_step}: the votes are about other noise. Start again with "
            "certify(X, radius=...), without start."
        )
    if start.fit_id != fit_id or start.selection is None:
        raise ValueError(
            "start was made by another fit of the model, and its votes say nothing about this one. "
            "Start again with certify(X, radius=...), without start."
        )
    other = np.flatnonzero(start.row_ids != inputs.fingerprints())
    if len(other):
        raise ValueError(
            f"start was made for other rows than X: row {other[0]} differs ({len(other)} in all). "
            "Pass the same rows in the same order."
        )
    theirs = (repr(start.noise), start.n_features, list(start.classes))
    ours = (repr(noise), inputs.n_features, list(classes))
    if theirs != ours:
        raise ValueError(
            "start was made with another noise, other classes or another number of features."
        )


def check_n_radii(n_radii: Any) -> None:
    """Refuse to divide a level among no radii at all."""
    if not (isinstance(n_radii, Integral) and int(n_radii) >= 1):
        raise ValueError(f"At least one radius is needed, got {n_radii!r}.")
