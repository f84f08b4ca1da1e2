"""Probabilities of intervals under noise with many digits, written independently of the package."""

import mpmath
import numpy as np

DIGITS = 60


def cdf(family, sigma, z):
    """Distribution function of the noise of one feature, with standard deviation sigma."""
    z, sigma = mpmath.mpf(z), mpmath.mpf(sigma)
    if family == "gaussian":
        return mpmath.erfc(-z / (sigma * mpmath.sqrt(2))) / 2
    if family == "laplace":
        tail = mpmath.exp(-abs(z) * mpmath.sqrt(2) / sigma) / 2
        return tail if z < 0 else 1 - tail
    half = sigma * mpmath.sqrt(3)
    return min(max((z + half) / (2 * half), mpmath.mpf(0)), mpmath.mpf(1))


def interval_probability(family, sigma, x, low, high):
    """Probability that x plus noise lies between low and high."""
    with mpmath.workdps(400):  # far tails: the difference of numbers near 1
        x, low, high = map(mpmath.mpf, (x, low, high))
        return cdf(family, sigma, high - x) - cdf(family, sigma, low - x)


def last_below(threshold):
    """Largest number that is at most a threshold in single precision, by bisection."""
    apart = float(np.spacing(np.float32(abs(threshold)))) + 1e-30
    low, high = threshold - 2 * apart, threshold + 2 * apart
    while np.nextafter(low, np.inf) < high:
        middle = low + (high - low) / 2
        low, high = (middle, high) if float(np.float32(middle)) <= threshold else (low, middle)
    return low


def tree_probabilities(tree, family, sigma, x, leaf_classes, n_classes):
    """Class probabilities of a tree of scikit-learn, by recursion over its nodes.

    It looks at features in single precision.
    """
    totals = [mpmath.mpf(0)] * n_classes

    def visit(node, sides):
        if tree.children_left[node] == -1:
            product = mpmath.mpf(1)
            for f, (low, high) in sides.items():
                product *= interval_probability(family, sigma, float(x[f]), low, high)
            totals[leaf_classes[node]] += product
            return
        f, t = int(tree.feature[node]), last_below(float(tree.threshold[node]))
        low, high = sides.get(f, (-mpmath.inf, mpmath.inf))
        visit(tree.children_left[node], {**sides, f: (low, min(high, t))})
        visit(tree.children_right[node], {**sides, f: (max(low, t), high)})

    visit(0, {})
    return totals
