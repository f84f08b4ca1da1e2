"""PatchCertificate as a value."""

import pickle

import numpy as np
import pandas as pd
import pytest

from sksmooth import PatchCertificate


def certificate(**changed):
    values = {
        "prediction": np.array(["a", "b", "a"]),
        "certified": np.array([True, True, False]),
        "counts": np.array([[8, 0], [1, 7], [5, 3]]),
        "classes": np.array(["a", "b"]),
        "patch": (2, 3),
        "n_patches": 1,
        "top_k": 1,
        "n_affected": 3,
        "n_ablations": 8,
        "ablation": "AblationNoise()",
        "index": pd.Index(["x", "y", "z"]),
    }
    return PatchCertificate(**values | changed)


def test_it_is_saved_sliced_and_joined(tmp_path):
    whole = certificate()
    whole.save(tmp_path / "patch.json")
    assert PatchCertificate.load(tmp_path / "patch.json") == whole
    assert pickle.loads(pickle.dumps(whole)) == whole
    assert PatchCertificate.concatenate([whole[:2], whole[2:]]) == whole
    with pytest.raises(ValueError, match=r"patch is \(1, 1\) in one|patch is \(2, 3\) in one"):
        PatchCertificate.concatenate([whole, certificate(patch=(1, 1))])
    with pytest.raises(ValueError, match="read-only"):
        whole.certified[2] = True
    assert whole.alpha is None


def test_what_it_says():
    frame = certificate().to_frame()
    assert frame.index.tolist() == ["x", "y", "z"]
    assert frame["certified"].tolist() == [True, True, False]
    assert (frame["patch_width"] == 3).all()
    assert "certified 66.7%; 3 of 8 ablations" in repr(certificate())
    assert "2 patches of 2 x 3" in repr(certificate(n_patches=2, top_k=2))
    assert "certified nothing" in repr(certificate()[:0])


def test_certified_accuracy():
    assert certificate().certified_accuracy(["a", "a", "a"]) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match=r"y_true must have shape \(3,\), got \(2,\)"):
        certificate().certified_accuracy(["a", "a"])
