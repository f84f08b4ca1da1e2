"""Classifiers whose class probabilities under noise are known: certificates without sampling."""
