"""Confidence bounds. They know no model and no noise.

Every bound is exact in the sense of its definition, and proven by the probability that defines it:
this is computed for the bound itself, at a level lowered by more than its numerical error.
"""

from sksmooth.bounds._calibration import calibration_level
from sksmooth.bounds._looks import Look, plan_looks
from sksmooth.bounds._many import population_lower_bound
from sksmooth.bounds._many_outputs import (
    most_lost_outputs,
    step_down_claims,
    step_down_levels,
)
from sksmooth.bounds._order_statistics import (
    integrated_rank,
    lower_quantile_rank,
    upper_quantile_rank,
)
from sksmooth.bounds._proportions import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    min_draws_to_certify,
    runner_up_upper_bound,
)

__all__ = [
    "Look",
    "calibration_level",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "integrated_rank",
    "lower_quantile_rank",
    "min_draws_to_certify",
    "most_lost_outputs",
    "plan_looks",
    "population_lower_bound",
    "runner_up_upper_bound",
    "step_down_claims",
    "step_down_levels",
    "upper_quantile_rank",
]
