"""Bounds of rounding errors hold, against more digits, and are not much too wide to notice."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from voter_cases import mlp

from sksmooth import SmoothedClassifier
from sksmooth.engine._streams import DrawStream, Purpose
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise, LaplaceNoise
from sksmooth.voters import LinearScores, voter_of
from sksmooth.voters._gaussian_image import image_stream
from sksmooth.voters._rounding import of_image, of_sum, unit_roundoff

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")
LONG = np.longdouble
more_digits = pytest.mark.skipif(
    np.finfo(LONG).nmant < 63, reason="long double has no more digits than double here"
)


def far_off(n, d, offset, dtype=float):
    """Rows far from the origin, whose scores cancel."""
    return (np.random.default_rng(0).normal(size=(n, d)) + offset).astype(dtype)


@more_digits
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_linear_scores(offset):
    rng = np.random.default_rng(1)
    coef = rng.normal(size=(5, 40))
    scores = LinearScores.of(coef, -coef @ np.full(40, offset))
    noise, X = LaplaceNoise(0.5), far_off(8, 40, offset)
    draws = noise.draw(300, (40,), rng, float)
    rows = scores.embed(read_inputs(X, owner=None)).values
    ours = rows[:, None, :-1] + scores.embed_noise(draws)
    exact = (X[:, None].astype(LONG) + draws) @ coef.T.astype(LONG) + scores.intercept.astype(LONG)
    error = np.abs(ours - exact).max(axis=(1, 2)).astype(float)
    doubts = scores.doubts(rows[:, -1], noise)
    assert (2 * error <= doubts).all()
    assert (2 * error > 1e-5 * doubts).all()  # a bound that is thousands of times smaller fails


@more_digits
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "model",
    [mlp(), mlp(activation="tanh"), mlp(activation="logistic"), mlp(hidden_layer_sizes=(20, 10))],
    ids=str,
)
def test_hidden_layers(model, dtype, digits):
    X, y = digits[0][:300].astype(dtype), digits[1][:300]
    voter = voter_of(model.fit(X, y))
    noise, rng = LaplaceNoise(0.3), np.random.default_rng(0)
    draws = noise.draw(200, (64,), rng, dtype)
    embedded = voter.embed(read_inputs(X[:6], owner=None)).values
    seen = voter.embed_noise(draws).T
    own, per_size = voter.doubts(embedded, noise)
    for row, x, bound in zip(embedded, X, own):
        ours = voter._scores(seen + row[:-1, None])
        exact = (x.astype(LONG) + draws.astype(LONG)).T
        for i, (matrix, offset) in enumerate(voter.layers):
            if i:
                exact = activation(model.activation, exact)
            exact = matrix.astype(LONG) @ exact + offset.astype(LONG)[:, None]
        error = np.abs(ours - exact).max(axis=0).astype(float)
        doubts = bound + per_size * np.abs(seen).max(axis=0)
        assert (2 * error <= doubts).all()
        assert (2 * error).max() > 1e-8 * doubts.max()


def activation(name, values):
    if name == "relu":
        return np.maximum(values, 0)
    return np.tanh(values) if name == "tanh" else 1 / (1 + np.exp(-values))


@pytest.mark.parametrize("shape", [(3, 50), (10, 784)])
def test_noise_behind_a_matrix(shape):
    """The covariance of what is drawn is that of the projected noise, within the bound."""
    coef = np.random.default_rng(0).normal(size=shape)
    stream = DrawStream(GaussianNoise(1.0), 0, Purpose.ESTIMATION, (shape[1],), np.dtype(float))
    factor = image_stream(stream, coef).noise.factor
    sizes = np.linalg.norm(coef, axis=1)
    error = np.abs(factor.T @ factor - coef @ coef.T) / np.outer(sizes, sizes)
    assert error.max() < 2 * of_image(shape[1], shape[0])
    assert np.abs(1.0001 * factor.T @ factor - coef @ coef.T).max() > 2 * of_image(*shape[::-1])


def test_units_in_the_last_place():
    assert unit_roundoff(np.float64) == 2.0**-53
    assert unit_roundoff(np.float32) == 2.0**-24
    assert of_sum(1000) > 1000 * 2.0**-53


@pytest.fixture
def tied():
    """A model whose two classes differ by less than rounding, everywhere."""
    X, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    model = LogisticRegression().fit(X, y)
    first = np.array([1.0, 0.37, 0.1, 3.0])
    model.coef_ = np.stack([first, first * (1 + 2.0**-52), -first])
    model.intercept_ = np.zeros(3)
    return X, model


def test_votes_within_rounding_are_for_nobody_and_count_against_the_class(tied):
    X, model = tied
    clf = SmoothedClassifier(FrozenEstimator(model), n_estimation=500, random_state=0).fit()
    high = np.abs(X[X @ model.coef_[0] > 2])
    certificate = clf.certify(high)
    assert (certificate.n_draws == 500).all()
    assert (certificate.counts[:, :2] == 0).all()
    assert certificate.abstained.all()
    shares = clf.predict_proba(high)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    low = clf.certify(-high)  # the third class wins by far
    assert (low.counts[:, 2] > 450).all()
    assert low.certified.all()
    black_box = clf.set_params(structure="off").certify(high)  # a function of the sum: it decides
    assert (black_box.counts.sum(axis=1) == 500).all()


def test_sequential_decisions_and_their_continuation_keep_undecided_votes(tied):
    X, model = tied
    clf = SmoothedClassifier(FrozenEstimator(model), n_estimation=500, random_state=0).fit()
    rows = np.concatenate([np.abs(X[:3]), -np.abs(X[:3])])
    certificate = clf.certify(rows, radius=0.05)
    assert certificate.certified.tolist() == [False] * 3 + [True] * 3
    assert (certificate.n_draws[:3] > certificate.counts[:3].sum(axis=1)).all()
    clf.set_params(n_estimation=2000)
    more = clf.certify(rows, radius=0.2, start=certificate)
    assert (more.n_draws >= certificate.n_draws).all()
    assert not more.certified[:3].any()
    assert_array_equal(more.counts[:3, :2], 0)


@pytest.mark.parametrize("kind", ["mlp", "deep", "line"])
def test_votes_of_a_row_depend_on_no_other_row_nor_on_the_number_of_workers(kind, digits):
    """In single precision, where some votes are left open."""
    X, y = digits[0].astype(np.float32), digits[1]
    models = {
        "mlp": mlp(),
        "deep": mlp(hidden_layer_sizes=(60, 40, 20), max_iter=60),
        "line": LogisticRegression(),
    }
    options = {"sigma": 0.3, "noise": "laplace", "n_estimation": 3000, "random_state": 0}
    clf = SmoothedClassifier(models[kind], n_augment=1, **options).fit(X[:300], y[:300])
    counts = clf.certify(X[300:340]).counts
    assert_array_equal(clf.set_params(n_jobs=2).certify(X[300:340]).counts, counts)
    assert_array_equal(clf.certify(X[310:317][::-1]).counts[::-1], counts[10:17])
    if kind == "deep":
        assert counts.sum() < 40 * 3000


@more_digits
def test_radial_kernels(digits):
    X, y = digits[0][:200], digits[1][:200]
    voter = voter_of(SVC(gamma=0.05).fit(X, y))
    draws = voter.embed_noise(GaussianNoise(0.3).draw(50, (64,), np.random.default_rng(0), float))
    embedded = voter.embed(read_inputs(X[:5], owner=None)).values
    errors = voter.errors(embedded, draws)
    for x, row, bound in zip(X, embedded, errors):
        log_near = -voter.gamma * ((row[:-1] - voter.vectors) ** 2).sum(axis=1)
        products = draws.values @ (row[:-1] - voter.vectors.mean(axis=0))
        ours = np.exp(
            draws.exponents + log_near[:, None] - voter.gamma * (draws.squares + 2 * products)
        )
        gaps = x.astype(LONG) + draws.values.astype(LONG) - voter.vectors[:, None].astype(LONG)
        exact = np.exp(-voter.gamma * (gaps**2).sum(axis=2))
        relative = np.abs(ours / exact - 1).max()
        assert relative <= bound
        assert relative > 1e-6 * bound


def test_nearest_neighbours_that_are_equally_near_are_for_nobody():
    X, y = np.array([[-1.0], [1.0], [5.0]]), np.array([0, 1, 1])
    voter = voter_of(KNeighborsClassifier(1, algorithm="brute").fit(X, y))
    rows = voter.embed(read_inputs(np.array([[0.0], [0.1], [3.0]]), owner=None))
    votes = voter.count_votes(rows, None, voter.embed_noise(np.zeros((2, 1))))
    assert votes.tolist() == [[0, 0], [0, 2], [0, 2]]  # at 3 both neighbours are of one class


def test_maps_before_a_kernel_add_to_the_bound(digits):
    X, y = digits[0][:200] + 1e6, digits[1][:200]
    model = make_pipeline(StandardScaler(), SVC(gamma=0.05)).fit(X, y)
    near, far = voter_of(model[-1]), voter_of(model)
    draws = GaussianNoise(0.3).draw(5, (64,), np.random.default_rng(0), float)
    ours = far.errors(far.embed(read_inputs(X[:2], owner=None)).values, far.embed_noise(draws))
    rows = model[0].transform(X[:2])
    scaled = near.embed_noise(draws / model[0].scale_)
    less = near.errors(near.embed(read_inputs(rows, owner=None)).values, scaled)
    assert (ours > 1e4 * less).all()
