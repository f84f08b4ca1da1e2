"""Voting with what is known of how a base model sees an input plus noise."""

from sksmooth.structure import _hidden as _hidden
from sksmooth.structure import _kernels as _kernels
from sksmooth.structure import _neighbors as _neighbors
from sksmooth.structure import _one_vs_rest as _one_vs_rest
from sksmooth.structure import _pipeline as _pipeline
from sksmooth.structure._affine import affine_map
from sksmooth.structure._base import Structure, structure_of
from sksmooth.structure._linear import LinearScores

__all__ = ["LinearScores", "Structure", "affine_map", "structure_of"]
