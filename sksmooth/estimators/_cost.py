"""What training on noisy copies costs, said before it begins."""

import warnings

from sklearn.pipeline import Pipeline

from sksmooth.base_models._names import name_of

# A fit that needs more memory than this is worth a word.
_MANY_BYTES = 2**31

# Kernel machines, whose memory or time grows with the square of the rows, and the number of rows
# from where on that is felt.
_BY_SQUARE = {
    "GaussianProcessClassifier": 10_000,
    "GaussianProcessRegressor": 10_000,
    "KernelRidge": 10_000,
    "NuSVC": 50_000,
    "NuSVR": 50_000,
    "SVC": 50_000,
    "SVR": 50_000,
}


def warn_of_costly_fit(model, inputs, n_copies, stacklevel):
    """Warn, once, where noisy copies make a fit much larger than X looks.

    Parameters
    ----------
    model : estimator
        About to be fitted.
    inputs : Inputs
        Training rows.
    n_copies : int
        Number of noisy copies of each.
    stacklevel : int
        As in :func:`warnings.warn`.
    """
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    n_rows = n_copies * len(inputs)
    n_bytes = n_rows * inputs.n_features * inputs.dtype.itemsize
    found = ""
    if n_rows > _BY_SQUARE.get(type(last).__name__, n_rows) and n_copies > 1:
        found = (
            f" {name_of(last)} takes memory or time that grows at least with the square of them, "
            f"{n_copies**2} times as much as for the rows alone."
        )
    if n_bytes > _MANY_BYTES:
        found += f" They take {n_bytes / 2**30:.1f} GiB in {inputs.dtype}"
        found += ", half of that for X in float32." if inputs.dtype.itemsize == 8 else "."
    if found:
        warnings.warn(
            f"The base model is trained on {n_copies} noisy copies of {len(inputs)} rows.{found} "
            "Use a smaller n_augment, or fewer rows.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
