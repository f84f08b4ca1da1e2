"""Voting with what is known of how a base model sees an input plus noise."""

from sksmooth.base_models._affine import affine_map
from sksmooth.voters import _hidden as _hidden
from sksmooth.voters import _kernels as _kernels
from sksmooth.voters import _neighbors as _neighbors
from sksmooth.voters import _one_vs_rest as _one_vs_rest
from sksmooth.voters import _pipeline as _pipeline
from sksmooth.voters._base import FastVoter, voter_of
from sksmooth.voters._linear import LinearScores

__all__ = ["FastVoter", "LinearScores", "affine_map", "voter_of"]
