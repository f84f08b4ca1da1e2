"""Base models that train under the noise of the smoother."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth.noise import Noise


def part_that_adds_noise(model):
    """Return the model, or the first step of a Pipeline, if it trains under noise of its own."""
    first, *others = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    for step in others:
        if _takes_noise(step):
            raise ValueError(
                f"{type(step).__name__} takes its noise from the smoother, in the units of the "
                "smoother's X, which the steps before it change. Put the scaling into the module, "
                "or train the pipeline first and pass it in a FrozenEstimator."
            )
    return first if _takes_noise(first) else None


def _takes_noise(step):
    return hasattr(step, "train_under") and not isinstance(step, FrozenEstimator)


def hand_noise_down(model, noise):
    if not isinstance(noise, Noise):
        raise ValueError(
            f"{type(model).__name__} cannot be trained on splits of levels. Train it with "
            "noise='splitting' first and pass it in a FrozenEstimator."
        )
    model.train_under(noise)
