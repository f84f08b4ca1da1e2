"""Arguments of noises and limits that are none get an error that names them, and no number."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksmooth import LocallyBiasedSmoother, SmoothedClassifier
from sksmooth.attacks import project
from sksmooth.limits import largest_radius
from sksmooth.noise import CategoryNoise, GaussianNoise, LaplaceNoise, UniformNoise

NOISES = [GaussianNoise(0.5), LaplaceNoise(0.5), UniformNoise(0.5), GaussianNoise(0.5, k=1)]

NO_PROBABILITIES = [np.nan, -0.1, 1.1, np.inf, "x", "0.9", None, [0.6, "a"], [[0.9], [0.8, 0.7]]]
NO_PROBABILITIES += [1j, True, np.ma.array([0.9], mask=[True]), np.datetime64("2020")]
NO_COUNTS = [0, -1, 2.5, np.nan, np.inf, "3", True, [1, 2], 1j]
NO_NORMS = [0, 0.5, -1, np.nan, "2", [1, 2], 1j, True]


NAMES_OF_NORMS = [("l1", 1), ("l2", 2), ("linf", np.inf), ("inf", np.inf)]


def refused(name, call):
    with pytest.raises((ValueError, TypeError), match=f"^{name} (must|has masked)"):
        call()


def refused_norm(call):
    """Uniform noise says in which two norms it certifies."""
    with pytest.raises(
        (ValueError, TypeError), match=r"^norm must|certifies in the norms 1 and inf"
    ):
        call()


@pytest.mark.parametrize("noise", NOISES, ids=repr)
class TestRadius:
    @pytest.mark.parametrize("bad", NO_PROBABILITIES, ids=repr)
    def test_probabilities(self, noise, bad):
        refused("p_lower", lambda: noise.radius(bad, n_features=4))
        refused("p_lower", lambda: noise.top_radius(bad, [0.1, 0.1], 2, n_features=4))
        refused("tail", lambda: noise.tail_radius(bad, n_features=4))
        if bad is not None:
            refused("p_upper", lambda: noise.radius(0.9, bad, n_features=4))
            refused("runner_up", lambda: noise.tail_radius(0.1, bad, n_features=4))
        refused("p_others", lambda: noise.top_radius(0.5, bad, 2, n_features=4))

    @pytest.mark.parametrize("bad", NO_COUNTS, ids=repr)
    def test_counts(self, noise, bad):
        refused("n_features", lambda: noise.radius(0.9, n_features=bad))
        refused("top_k", lambda: noise.top_radius(0.5, [0.2, 0.1], bad, n_features=4))
        refused("top_k", lambda: largest_radius(noise, 100, 0.01, n_features=4, top_k=bad))
        refused("n_classes", lambda: largest_radius(noise, 100, 0.01, n_features=4, n_classes=bad))

    @pytest.mark.parametrize("bad", NO_NORMS, ids=repr)
    def test_norms(self, noise, bad):
        refused_norm(lambda: noise.radius(0.9, n_features=4, norm=bad))
        refused_norm(lambda: noise.top_radius(0.5, [0.2, 0.1], 2, n_features=4, norm=bad))
        refused_norm(lambda: largest_radius(noise, 100, 0.01, n_features=4, norm=bad))


@pytest.mark.parametrize("bad", ["gaussian", None, 0.5, GaussianNoise], ids=repr)
def test_what_is_no_noise_has_no_radius(bad):
    with pytest.raises(TypeError, match=r"^noise must be an object of sksmooth.noise, got "):
        largest_radius(bad, 100, 0.01)
    assert largest_radius(GaussianNoise(0.5), 100, 0.01) > 0


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, "a", None, [1], True, 1j], ids=repr)
@pytest.mark.parametrize("family", [GaussianNoise, LaplaceNoise, UniformNoise])
def test_scales_that_are_none(family, bad):
    with pytest.raises(ValueError, match=r"'sigma' parameter of .* must be a positive finite"):
        family(bad).radius(0.9, n_features=4)


def test_lengths_that_do_not_go_together():
    with pytest.raises(ValueError, match=r"p_lower has shape \(3,\) and p_upper \(2,\)"):
        GaussianNoise(0.5).radius([0.9, 0.8, 0.7], [0.1, 0.2])


@pytest.mark.parametrize("bad", NO_PROBABILITIES, ids=repr)
def test_probabilities_of_categories(bad):
    noise = CategoryNoise(keep=0.9, scheme="uniform")
    refused("p", lambda: noise.least_probability(bad, changes=1, n_levels=[3]))


@pytest.mark.parametrize(("name", "number"), NAMES_OF_NORMS)
class TestNamesOfNorms:
    """A norm may be called by its name wherever there is one."""

    def test_noise_and_limits(self, name, number):
        law = LaplaceNoise(0.5)
        in_words = law.radius(0.9, n_features=4, norm=name)
        assert in_words == law.radius(0.9, n_features=4, norm=number)
        limit = largest_radius(law, 100, 0.01, n_features=4, norm=name)
        assert limit == largest_radius(law, 100, 0.01, n_features=4, norm=number)

    def test_estimators(self, name, number):
        X, y = np.array([[0.0, 0.0], [1.0, 1.0]] * 20), np.array([0, 1] * 20)
        smoother = SmoothedClassifier(norm=name, random_state=0, n_estimation=100).fit(X, y)
        certificate = smoother.certify(X[:2])
        assert certificate.norm == number
        local = LocallyBiasedSmoother(norm=name, random_state=0).fit(X, y)
        assert local.certify(X[:2]).radius.shape == (2,)

    def test_attacks(self, name, number):
        steps = np.array([[3.0, -4.0]])
        assert_array_equal(project(steps, 1.0, name), project(steps, 1.0, number))


def test_certificate_of_votes_in_another_norm_by_name():
    X, y = np.array([[0.0, 0.0], [1.0, 1.0]] * 20), np.array([0, 1] * 20)
    smoother = SmoothedClassifier(structure="off", random_state=0, n_estimation=100).fit(X, y)
    certificate = smoother.certify(X[:2])
    assert certificate.at(norm="l2") == certificate
    assert certificate.at(norm="linf") == certificate.at(norm=np.inf)
