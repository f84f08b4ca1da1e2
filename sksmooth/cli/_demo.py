"""``python -m sksmooth demo``: digits, certified."""

import time

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from sksmooth._optional import import_extra
from sksmooth.estimators import SmoothedClassifier
from sksmooth.metrics import certified_accuracy_score
from sksmooth.plotting import CertifiedAccuracyDisplay

_SIGMAS = (0.12, 0.25, 0.5)


_RADII = (0.1, 0.25, 0.5, 0.75, 1.0)


_RTOL = 0.02  # radii may be 2 % smaller than those of all draws, for a fraction of the time


def run_demo(options):
    pyplot = import_extra("matplotlib.pyplot", extra="plot", user="python -m sksmooth demo")
    pyplot.switch_backend("agg")
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, test_size=options.rows, stratify=y, random_state=0
    )
    print(
        f"Handwritten digits, 64 pixels in [0, 1]: {len(X_train)} rows to train on, {len(X_test)}"
    )
    print("held out to certify. Base model: a multi-layer perceptron trained on noisy copies.\n")
    _, ax = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    lines = []
    for sigma in _SIGMAS:
        smoother = SmoothedClassifier(
            MLPClassifier(tol=0.01, n_iter_no_change=2),
            sigma=sigma,
            n_augment=20,
            n_estimation=options.draws,
            random_state=0,
            verbose=True,
        )
        start = time.perf_counter()
        certificate = smoother.fit(X_train, y_train).certify(X_test, rtol=_RTOL)
        seconds = time.perf_counter() - start
        CertifiedAccuracyDisplay.from_certificate(
            y_test, certificate, name=f"sigma = {sigma}", ax=ax
        )
        lines.append(_table_line(sigma, y_test, certificate, seconds))
    ax.set_title(f"Handwritten digits, {len(X_test)} held-out rows, alpha = {certificate.alpha}")
    radii = "".join(f"{f'r = {r}':>10}" for r in _RADII)
    print(f"\n{'':28}certified accuracy at l2 radius\n{'sigma':>5}{'clean':>8}{radii}", end="")
    print(f"{'abstained':>11}{'draws/row':>11}{'seconds':>9}")
    print("\n".join(lines))
    ax.figure.savefig(options.output, dpi=120)
    print(f"\nThe curves are in {options.output}; dotted lines: the largest radius that this")
    print("number of draws can prove.")
    return 0


def _table_line(sigma, y, certificate, seconds):
    clean = (certificate.prediction == y).mean()
    reach = certificate.max_radius()
    scores = (certified_accuracy_score(y, certificate, radius=min(r, reach)) for r in _RADII)
    certified = "".join(f"{s * (r <= reach):10.3f}" for r, s in zip(_RADII, scores, strict=True))
    draws = certificate.n_draws.mean()
    return (
        f"{sigma:5}{clean:8.3f}{certified}{certificate.abstained.mean():11.3f}{draws:11.0f}"
        f"{seconds:9.1f}"
    )
