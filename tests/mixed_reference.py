"""The transform of the mixed-norm noise by another formula than that of the package.

Conditions on the largest coordinate in size and, where it is positive, on the smallest, instead of
looking from halfway of the shift; so it also takes complex frequencies.
"""

import numpy as np
from scipy import special

PANELS = np.array([0.0, 1.5, 5.0, 12.0, 45.0])


def upper(z):
    return special.erfc(z / np.sqrt(2)) / 2


def gauss(n, cuts=(0.0, 1.0)):
    x, w = np.polynomial.legendre.leggauss(n)
    start, width = np.array(cuts)[:-1, None], np.diff(cuts)[:, None]
    return (start + width * (x + 1) / 2).ravel(), (width * w / 2).ravel()


def sizes(d, k, n, low, high):
    """Nodes and weights of the law of the largest coordinate in size, in [low, high]."""
    t, w = gauss(n)
    x = np.log(low) + np.log(high / low) * t
    a = np.exp(x)
    log_density = (1 - k) * x - a * a / 2 + (d - 1) * np.log1p(-2 * upper(a))
    weight = w * np.exp(log_density - log_density.max())
    return a, weight / weight.sum()


def transform(d, k, r, u, grow, span):
    """``E[L^(1/2 + iu)]`` for shifts of r in every coordinate; `span` holds the largest one."""
    a, weight = sizes(d, k, int(48 * grow), *span)
    c = 0.5 + 1j * u[:, None]
    tail, plain = upper(a - c * r), upper(a)
    # the largest is negative, and moves away
    log_power = (d - 1) * (np.log1p(-tail - upper(a + c * r)) - np.log1p(-2 * plain))
    total = np.exp(log_power - c * r * a - (c * r) ** 2 / 2 - k * c * np.log1p(r / a))
    # it is positive: integrate over the smallest, through E = -log P(smallest > m | a)
    limit = np.clip(2 * r - a, -a, a)  # a smaller one is the farthest after the shift
    part = np.minimum((special.ndtr(limit) - plain) / (1 - 2 * plain), 1.0)
    with np.errstate(divide="ignore"):
        last = np.minimum(-(d - 1) * np.log1p(-part), PANELS[-1])
    for e, w in zip(*gauss(int(12 * grow), PANELS / PANELS[-1]), strict=True):
        total += w * last * given_smallest(e * last, a, plain, tail, c, r, d, k)
    clear = (a > r) & (last < PANELS[-1])
    lower, far = limit[clear], a[clear]
    cut = upper(c * r - lower)
    log_power = (d - 1) * (
        np.log1p(-tail[:, clear] - cut) - np.log(1 - plain[clear] - special.ndtr(lower))
    )
    stay = log_power + c * r * far - (c * r) ** 2 / 2 - k * c * np.log1p(-r / far) - last[clear]
    total[:, clear] += np.exp(stay)
    return np.real(np.exp(c * (c - 1) * r * r / 2 * d) * total @ weight) / 2


def given_smallest(e, a, plain, tail, c, r, d, k):
    below = plain - (1 - 2 * plain) * np.expm1(-e / (d - 1))
    m = special.ndtri(below)
    log_power = (d - 2) * (np.log1p(-tail - upper(c * r - m)) - np.log1p(-plain - below))
    moved = k * c * np.log((r - m) / a)
    return np.exp(log_power + c * r * (a + m) - (c * r) ** 2 - moved - e)
