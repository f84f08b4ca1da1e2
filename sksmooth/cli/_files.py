"""Models, data and labels from files."""

from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator

from sksmooth._optional import import_extra
from sksmooth.estimators import SmoothedClassifier

_PICKLES = (".joblib", ".pickle", ".pkl")

# Classes of these rooms are trusted in a file of skops, and what fitted models of scikit-learn keep
# their numbers in; those of anybody else are listed.
_OWN = tuple(
    f"sksmooth.{room}."
    for room in (
        "base_models",
        "certifiers",
        "distances",
        "estimators",
        "inputs",
        "noise",
        "transformations",
    )
)
_OF_MODELS = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.",
    "sklearn.gaussian_process.",
    "sklearn.metrics._dist_metrics.",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.",
    "sklearn.tree._tree.Tree",
)


def load_model(path, *, trust_pickle=False, trusted=()):
    """Return the model of a file.

    Parameters
    ----------
    path : str
        File of skops; of pickle or joblib where that is trusted.
    trust_pickle : bool, default=False
        Whether code in the file may run.
    trusted : sequence of str, default=()
        Types of other packages that may be made.

    Raises
    ------
    ValueError
        If the file is of another kind, needs trust, or is not there.
    """
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"There is no file {path}.")
    if file.suffix == ".skops":
        return _load_skops(file, trusted)
    if file.suffix not in _PICKLES:
        raise ValueError(f"{path} is none of .skops, {', '.join(_PICKLES)}.")
    if not trust_pickle:
        raise ValueError(
            f"{path} is a pickle: whoever made it can run any code here when it is read. Write the "
            "model with skops.io.dump(model, 'model.skops') instead, or say --trust-pickle if it "
            "is your own."
        )
    return import_extra("joblib", extra="skops", user="--trust-pickle").load(file)


def _load_skops(file, trusted):
    skops = import_extra("skops.io", extra="skops", user=f"Reading {file.name}")
    unknown = skops.get_untrusted_types(file=str(file))
    known = (*_OWN, *_OF_MODELS)
    foreign = [name for name in unknown if not name.startswith(known) and name not in trusted]
    if foreign:
        raise ValueError(
            f"{file} holds types that are not known to be safe: {', '.join(sorted(foreign))}. If "
            "you know them, name each with --trust TYPE."
        )
    return skops.load(str(file), trusted=unknown)


def smoother_of(model, *, sigma=None, noise=None):
    """Return what certifies: the model itself, or a smoothed classifier around it."""
    if hasattr(model, "certify"):
        if sigma is not None or noise is not None:
            raise ValueError(
                f"{type(model).__name__} brings its own noise: leave out --sigma and --noise."
            )
        return model
    if sigma is None:
        raise ValueError(
            f"{type(model).__name__} has no certify: it is no smoother. Give --sigma (and --noise) "
            "to smooth it as it is."
        )
    smoother = SmoothedClassifier(FrozenEstimator(model), sigma=sigma, noise=noise or "gaussian")
    return smoother.fit()


def load_data(path, *, name="X"):
    """Return the rows of a file: .npy memory-mapped, .npz, .csv or .parquet.

    Parameters
    ----------
    path : str
        File.
    name : str, default="X"
        Array of an .npz that is meant, where there are several.
    """
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"There is no file {path}.")
    if file.suffix == ".npy":
        return _refusing_pickles(file, mmap_mode="r")
    if file.suffix == ".npz":
        arrays = _refusing_pickles(file)
        names = [name] if name in arrays.files else arrays.files
        if len(names) != 1:
            raise ValueError(
                f"{path} holds {', '.join(names) or 'nothing'}, and none is called {name!r}."
            )
        return arrays[names[0]]
    if file.suffix in (".csv", ".parquet"):
        pandas = import_extra("pandas", extra="pandas", user=f"Reading {file.name}")
        return pandas.read_csv(file) if file.suffix == ".csv" else pandas.read_parquet(file)
    raise ValueError(f"{path} is none of .npy, .npz, .csv, .parquet.")


def load_labels(path):
    """Return the labels of a file, which holds one column; None for None."""
    if path is None:
        return None
    labels = load_data(path, name="y")
    if hasattr(labels, "iloc"):
        if labels.shape[1] != 1:
            raise ValueError(f"{path} holds {labels.shape[1]} columns; labels are one.")
        labels = labels.iloc[:, 0].to_numpy()
    return np.asarray(labels)


def _refusing_pickles(file, **options):
    try:
        return np.load(file, allow_pickle=False, **options)
    except ValueError as error:
        raise ValueError(f"{file} cannot be read as numbers: {error}") from error


def named_frame(X, model):
    """Return X as the model takes it: an array where it was fitted to one."""
    if hasattr(X, "iloc") and not hasattr(model, "feature_names_in_"):
        return X.to_numpy()
    return X
