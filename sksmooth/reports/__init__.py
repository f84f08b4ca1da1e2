"""What an auditor or a paper gets of a run: tables, a picture, a page in plain words."""

from sksmooth.reports._report import Report

__all__ = ["Report"]
