"""Tails of the binomial distribution, and where they reach a level, to 30 digits."""

from typing import NamedTuple

import mpmath

BITS = 200


class Tail(NamedTuple):
    """A tail and its derivative by the probability of success."""

    mass: mpmath.mpf
    slope: mpmath.mpf


def tail(k, n, p, outwards):
    """At most k successes (outwards=1: larger p are bounds), or at least k (-1), term by term."""
    with mpmath.workprec(BITS):
        p = mpmath.mpf(p)
        first = mpmath.exp(
            mpmath.loggamma(n + 1)
            - mpmath.loggamma(k + 1)
            - mpmath.loggamma(n - k + 1)
            + k * mpmath.log(p)
            + (n - k) * mpmath.log1p(-p)
        )
        odds = (1 - p) / p if outwards > 0 else p / (1 - p)
        mass = first * sum_of_terms(k, n, int(mpmath.ldexp(odds, BITS)), outwards)
        return Tail(mass, -first * (n - k) / (1 - p) if outwards > 0 else first * k / p)


def sum_of_terms(k, n, odds, outwards):
    """Sum of the terms over the first one, in integers of a unit of 2^-BITS."""
    total = term = one = 1 << BITS
    while term > one >> 110 and 0 < (k if outwards > 0 else n - k):
        term *= odds * k if outwards > 0 else odds * (n - k)
        term = (term >> BITS) // (n - k + 1 if outwards > 0 else k + 1)
        total += term
        k -= outwards
    return mpmath.mpf(total) / one


def exact_bound(k, n, alpha, outwards, start):
    """Probability at which the tail is alpha, from a start near it, by Newton's method."""
    with mpmath.workprec(BITS):
        p, change = mpmath.mpf(start), 1
        while change > 1e-10:  # the error that is left is of the order of its square
            here = tail(k, n, p, outwards)
            step = here.mass * mpmath.log(here.mass / mpmath.mpf(alpha)) / here.slope
            p, change = p - step, abs(step / p)
        return p
