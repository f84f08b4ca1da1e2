"""Results: frozen records of arrays, one entry per row of X."""

from sksmooth.certificates._classification import ClassificationCertificate
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.certificates._many_outputs import MultiOutputCertificate
from sksmooth.certificates._patches import PatchCertificate
from sksmooth.certificates._path import PathCertificate
from sksmooth.certificates._regression import RegressionCertificate

__all__ = [
    "ClassificationCertificate",
    "ErrorBudget",
    "MultiOutputCertificate",
    "PatchCertificate",
    "PathCertificate",
    "RegressionCertificate",
]
