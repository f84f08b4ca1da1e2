"""How many draws does a sequential decision need, and which plan needs the fewest?

Vote shares are those of published runs (CIFAR-10 and ImageNet, sigma 0.25 and 0.50; Salman et al.
2019, Jeong and Shin 2020, Jeong et al. 2021) in the folder that SKSMOOTH_DATA names. For every run
and radius up to 70 % of the ceiling, votes are drawn with these shares, and each plan decides
whether the radius holds, with a cap of 100,000 draws at alpha = 0.001.

    SKSMOOTH_DATA=... python -m benchmarks.sequential
"""

import os
from pathlib import Path

import numpy as np
from scipy import special

from benchmarks._tables import as_text, write_for_docs
from sksmooth.bounds import clopper_pearson_lower, plan_looks
from sksmooth.certifiers._stopping import FUTILITY_DEVIATIONS

CAP, ALPHA, ROWS = 100_000, 0.001, 1000
RADII = (0.25, 0.5, 0.75, 1.0)


def vote_shares():
    """Yield sigma and the vote shares of the predicted class of each run."""
    rng = np.random.default_rng(0)
    for path in sorted((Path(os.environ["SKSMOOTH_DATA"]) / "published").glob("*.npz")):
        if "votes" in path.name or not ("cifar10" in path.name or "imagenet" in path.name):
            continue
        with np.load(path) as run:
            shares = (run["count_min"] + run["count_max"]) / 2 / float(run["n"])
            shares = np.minimum(shares, 1 - 2e-6)  # all of 100,000 votes is not a share of one
            yield float(run["sigma"]), rng.permutation(shares)[:ROWS]


def sizes(first, growth):
    n, looks = float(first), []
    while np.ceil(n) < CAP:
        looks.append(int(np.ceil(n)))
        n *= growth
    return np.array([*looks, CAP])


def smallest_count(n, p0, alpha):
    """Smallest number of votes whose bound exceeds p0 (n + 1 where none does)."""
    votes = np.arange(int(n * p0), n + 1)
    above = clopper_pearson_lower(votes, n, alpha) > p0
    return votes[above.argmax()] if above.any() else n + 1


def group_sequential(growth):
    """Clopper-Pearson at growing numbers of draws, alpha split equally, half kept for the cap."""

    def wins(votes, looks, p0):
        share = [ALPHA / 2 / (len(looks) - 1)] * (len(looks) - 1) + [ALPHA / 2]
        needed = [smallest_count(n, p0, a) for n, a in zip(looks, share, strict=True)]
        return votes >= np.array(needed)

    return sizes(64, growth), wins


def library_plan():
    """Return the plan that `certify(X, radius=r)` follows."""
    plan = plan_looks(CAP)

    def wins(votes, looks, p0):
        needed = [smallest_count(look.n_draws, p0, ALPHA * look.alpha_spent) for look in plan]
        return votes >= np.array(needed)

    return np.array([look.n_draws for look in plan]), wins


def mixture(a, b, growth, alpha_early):
    """Mixture of likelihood ratios over shares above p0, and Clopper-Pearson at the cap."""

    def wins(votes, looks, p0):
        with np.errstate(divide="ignore"):
            log_ratio = (
                special.betaln(a + votes, b + looks - votes)
                + np.log(special.betaincc(a + votes, b + looks - votes, p0))
                - special.betaln(a, b)
                - np.log(special.betaincc(a, b, p0))
                - votes * np.log(p0)
                - (looks - votes) * np.log1p(-p0)
            )
        won = log_ratio >= -np.log(alpha_early)
        won[:, -1] |= votes[:, -1] >= smallest_count(CAP, p0, ALPHA - alpha_early)
        return won

    return sizes(32, growth), wins


PLANS = {
    "Clopper-Pearson, looks x 1.5 (the library's)": library_plan(),
    "Clopper-Pearson, looks x 1.25": group_sequential(1.25),
    "Clopper-Pearson, looks x 2": group_sequential(2.0),
    "Beta(1/2, 1/2) mixture, looks x 1.25": mixture(0.5, 0.5, 1.25, ALPHA / 2),
    "uniform mixture, looks x 1.25": mixture(1.0, 1.0, 1.25, ALPHA / 2),
    "Beta(1/2, 1/2) mixture, looks x 1.05": mixture(0.5, 0.5, 1.05, ALPHA / 2),
}


def futile(votes, looks, needed):
    """Tell the rows that the futility rule of the library gives up."""
    rest = CAP - looks
    share = (votes + 0.5) / (looks + 1)
    spread = np.sqrt(rest * share * (1 - share) * (1 + rest / looks))
    return np.floor(votes + rest * share + FUTILITY_DEVIATIONS * spread) < needed


def run_plan(plan, shares, p0, rng):
    """Mean number of draws, and share of rows certified."""
    looks, wins = plan
    steps = np.diff(looks, prepend=0)
    votes = rng.binomial(steps, shares[:, None]).cumsum(axis=1)
    won = wins(votes, looks, p0)
    stop = won | futile(votes, looks, smallest_count(CAP, p0, ALPHA / 2))
    stop[:, -1] = True
    at = stop.argmax(axis=1)
    return looks[at].mean(), won[np.arange(len(shares)), at].mean()


def main():
    rng = np.random.default_rng(1)
    figures = {name: [] for name in PLANS}
    for sigma, shares in vote_shares():
        ceiling = sigma * special.ndtri(clopper_pearson_lower(CAP, CAP, ALPHA))
        for radius in RADII:
            if radius > 0.7 * ceiling:
                continue
            p0 = special.ndtr(radius / sigma)
            votes = rng.binomial(CAP, shares)
            fixed = (votes >= smallest_count(CAP, p0, ALPHA)).mean()
            for name, plan in PLANS.items():
                draws, certified = run_plan(plan, shares, p0, rng)
                figures[name].append((draws, fixed - certified))
    header = ("Plan", "Mean draws", "Largest mean", "Saving", "Certified accuracy lost")
    table = []
    for name, values in figures.items():
        draws, lost = np.array(values).T
        saving = f"{CAP / draws.mean():.0f}x"
        table.append(
            (name, f"{draws.mean():.0f}", f"{draws.max():.0f}", saving, f"{lost.mean():.4f}")
        )
    print(as_text(header, table))
    write_for_docs("sequential", header, table)


if __name__ == "__main__":
    main()
