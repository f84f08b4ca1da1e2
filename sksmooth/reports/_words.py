"""What a run proves, and what it does not, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates import ClassificationCertificate
from sksmooth.metrics import certified_accuracy_interval
from sksmooth.store._log import Log

# Statements about the population fail with this probability, beside alpha.
_BETA = 0.05

_SEEDS = {
    "fresh": (
        "The seed of the noise was fresh entropy. The hash in the file was fixed before the run, "
        "and the seed was told when it had ended. Whoever published the seed, or the unfinished "
        "file that keeps it, before the inputs were fixed voids the statement against anybody who "
        "knew it."
    ),
    "given": (
        "The seed of the noise was given by whoever started the run. The statement is void against "
        "anybody who knew it before the inputs were fixed."
    ),
    "random_state": (
        "The seed of the noise is a parameter of the model (random_state): whoever had the model "
        "knew it. The statement is void against anybody who chose the inputs with that knowledge."
    ),
}

_FOR_WHOM = (
    "For the {} inputs of this file and the fitted model with the fingerprint given here; for no "
    "other input, and for no model that was trained again."
)
_NOT_PROVEN = (
    "That a prediction is right: a wrong answer can be stable. Anything about perturbations that "
    "are larger, or of any other kind than the one that is named above; about poisoned training "
    "data, stolen models or faults of the machine. Nothing here says that a system is safe, or "
    "that it meets a law or a standard."
)


@dataclass(frozen=True)
class Facts:
    """A run in numbers.

    Attributes
    ----------
    log : Log
        What the run is of.
    certificate : ClassificationCertificate
        Of all rows that are there.
    right : ndarray of bool or None
        Whether each (first) prediction is the label; None: no labels were given.
    labels : list or None
        The labels.
    radius : float
        Radius that statements about the population are about.
    """

    log: Log
    certificate: ClassificationCertificate
    right: NDArray[np.bool_] | None
    labels: list[Any] | None = None
    radius: float = 0.0

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Rows that are proven, and right where labels are known."""
        proven = self.certificate.certified
        return proven if self.right is None else proven & self.right

    @property
    def curve_name(self) -> str:
        """What the curve shows."""
        return "certified accuracy" if self.right is not None else "certified part of the rows"

    def curve(self) -> tuple[list[float], list[float]]:
        """Radii, and the part of the rows that is proven (and right) at each."""
        right = True if self.right is None else self.right
        changes = self.certificate.changes
        radius = self.certificate.radius_after(changes) if changes else self.certificate.radius
        finite = np.where(right, radius, 0.0)
        radii = np.sort(finite[np.isfinite(finite) & (finite > 0)])
        n_beyond = int(np.isinf(finite).sum())
        counts = len(radii) - np.arange(len(radii)) + n_beyond
        first = [(0.0, (len(radii) + n_beyond) / max(1, len(finite)))]
        steps = [*first, *zip(radii.tolist(), (counts / len(finite)).tolist(), strict=True)]
        return [r for r, _ in steps], [p for _, p in steps]

    def numbers(self) -> Iterator[tuple[str, str]]:
        """Yield names and values that sum up the run."""
        run, certificate, m = self.log.description, self.certificate, len(self.certificate)
        yield "Estimator", f"{run['estimator']} of {run['base_model']}"
        yield "Rows", f"{m} of {run['data']['n_rows']}" + ("" if self.log.sealed else ", so far")
        yield "Noise", "none" if certificate.noise is None else repr(certificate.noise)
        yield "Radii", certificate.radius_of or f"l{certificate.norm:g} norm"
        yield "Level", "exact" if certificate.alpha is None else f"alpha = {certificate.alpha:g}"
        yield "Certified", _part(int(certificate.certified.sum()), m)
        yield "Abstained", _part(int(certificate.abstained.sum()), m)
        if self.right is not None:
            yield "Right", _part(int(self.right.sum()), m)
            yield "Certified and right", _part(int(self.counted.sum()), m)
            yield from self._population()
        yield "Median radius", f"{np.median(certificate.radius):.6g}"
        yield "Largest radius", f"{certificate.radius.max():.6g}"
        yield "Begun", run["begun"]
        yield "Seed was committed to as", run["seed"]["commitment"]
        if self.log.sealed and self.log.seal is not None:
            yield "Seed, told at the end", self.log.seal["seed"]
            yield "Last hash of the log", self.log.last.digest
        yield "Model", run["model"]
        yield "Data", run["data"]["fingerprint"]
        yield from run["environment"].items()

    def _population(self) -> Iterator[tuple[str, str]]:
        """Yield lower bounds of the part of the population that is robust and right."""
        beyond = f"at radius {self.radius:g}" if self.radius else "at some radius"
        ways = {"": self.certificate}
        certificate = self.certificate
        if self.radius and certificate.alpha is not None and not certificate.n_calls:
            if certificate.top_k == 1 and not certificate.changes:
                ways[", all rows together (Holm)"] = certificate.holm(self.radius)
        for how, given in ways.items():
            found = certified_accuracy_interval(
                np.array(self.labels), given, radius=self.radius, beta=_BETA
            )
            yield (
                f"Robust and right in the population {beyond}{how}",
                f"at least {np.floor(found.lower * 1e4) / 1e4:.4f} with confidence "
                f"{found.confidence:.4g}, if rows are a random sample of it",
            )


def statements(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield titles and plain words: what is proven, for whom, how surely, and what is not."""
    certificate = facts.certificate
    if not facts.log.sealed:
        yield "Unfinished", "The run has not come to its end. This is about the rows so far."
    yield "What is proven", _proven(certificate)
    yield "For whom", _FOR_WHOM.format(len(certificate))
    yield "At which confidence", _confidence(certificate)
    yield "Under which assumptions", _assumptions(facts)
    yield "What is not proven", _NOT_PROVEN


def _proven(certificate: ClassificationCertificate) -> str:
    scaled = certificate.feature_scale is not None
    units = "scaled units" if scaled else "units of the inputs"
    covered = f"every input within the radius (l{certificate.norm:g} norm, {units})"
    if certificate.attack is not None:
        covered = f"every transformed input: {certificate.attack}"
    smoothed = certificate.noise is not None
    answer = "the answer of the smoothed model" if smoothed else "the answer of the model"
    what = f"stays the one in the table at {covered}."
    if certificate.top_k > 1:
        what = (
            f"has the class in the table among its {certificate.top_k} most probable ones at "
            f"{covered}."
        )
    text = f"For each row with a radius above 0, {answer} {what}"
    text += _fixed_columns(certificate)
    if certificate.perturbed == "grid":
        text += " Perturbed inputs lie on the grid."
    if smoothed:
        text += (
            " The smoothed model is the majority vote of the base model on noisy copies of the "
            "input. Nothing is proven about the base model without noise."
        )
    return text


def _fixed_columns(certificate: ClassificationCertificate) -> str:
    """Say which columns must not change, or of how many categories."""
    text, scale = "", certificate.feature_scale
    if scale is not None and (scale == 0).any():
        text += " Columns without noise (scale 0, categories that are fixed) must not change."
    if certificate.categories is not None:
        text += " The radius is for rows none of whose categories under noise changes."
    if certificate.changes:
        text += (
            f" Rows that are called certified keep their answer if up to {certificate.changes} of "
            "these categories change as well, within the radius that was asked for."
        )
    return text


def _confidence(certificate: ClassificationCertificate) -> str:
    if certificate.alpha is None:
        return "The statements are exact: no sampling is behind them, and they hold for certain."
    alpha, n = certificate.alpha, certificate.n_simultaneous
    if n > 1:
        return (
            f"All statements about the {n} rows of the data hold together with probability at "
            f"least {1 - alpha:.10g}, over the draws of the noise."
        )
    return (
        f"Each statement holds with probability at least {1 - alpha:.10g} over the draws of the "
        f"noise, each row by itself: of many rows, a part of up to {alpha:.10g} may be wrong on "
        "average. All rows share their draws, so that wrong ones may come together."
    )


def _assumptions(facts: Facts) -> str:
    certificate = facts.certificate
    text = (
        "The base model is a function of its input: it answers the same to the same row, whatever "
        "other rows come with it. "
    )
    if certificate.alpha is None:
        return text + "What was read off the model is what it computes."
    text += (
        "The generator of random numbers (PCG64) gives what cannot be told from independent draws. "
    )
    text += _SEEDS[facts.log.description["seed"]["source"]]
    if certificate.noise_step is not None:
        text += " Inputs and noise lie on a lattice, so that rounding is part of the proof."
    return text


def _part(count: int, total: int) -> str:
    return f"{count} of {total} ({count / max(1, total):.1%})"
