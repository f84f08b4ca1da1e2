"""Reading X: what noise can be added to, and what is refused with which words."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import polars
import pytest
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sksmooth.inputs._containers import read_inputs


def read(X):
    return read_inputs(X, owner=None)


@pytest.mark.parametrize(
    ("given", "noisy"),
    [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float64),
        (np.uint8, np.float64),
        (np.int64, np.float64),
        (np.bool_, np.float64),
    ],
)
def test_dtype_of_noisy_rows(given, noisy):
    rows = read(np.ones((3, 2), given))
    assert rows.values.dtype == given
    assert rows.dtype == noisy


def test_images_keep_their_shape():
    rows = read(np.zeros((5, 8, 6, 3), np.uint8))
    assert len(rows) == 5
    assert rows.shape == (8, 6, 3)
    assert rows.n_features == 144
    assert len(rows[1:3]) == 2


def test_data_frame_comes_back_with_its_columns():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]}, index=[7, 9])
    rows = pickle.loads(pickle.dumps(read(frame)))
    back = rows.to_container(rows.values + 0.5)
    assert list(back.columns) == ["a", "b"]
    assert back.to_numpy().tolist() == [[1.5, 3.5], [2.5, 4.5]]


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array])
def test_sparse_is_refused(make):
    with pytest.raises(ValueError, match=r"Sparse X is not supported.*Pass X\.toarray\(\)"):
        read(make(np.eye(3)))


def test_sparse_columns_are_named():
    frame = pd.DataFrame({"dense": [1.0, 2.0], "few": pd.arrays.SparseArray([0.0, 1.0])})
    with pytest.raises(ValueError, match=r"Sparse columns are not supported: few\."):
        read(frame)


@pytest.mark.parametrize(
    "column",
    [
        ["x", "y"],
        pd.Categorical([1, 2]),
        pd.to_datetime(["2026-01-01", "2026-01-02"]),
        pd.to_timedelta([1, 2], unit="D"),
    ],
    ids=["strings", "category", "dates", "durations"],
)
def test_columns_that_are_not_numbers_are_named(column):
    frame = pd.DataFrame({"age": [1.0, 2.0], "bad one": column})
    with pytest.raises((TypeError, ValueError), match="columns of X are not numeric: bad one"):
        read(frame)


def test_positions_of_columns_that_are_not_numbers():
    X = np.array([[1, "a", 2], [3, "b", 4]], dtype=object)
    with pytest.raises(ValueError, match=r"columns of X are not numeric: 1\. Encode them"):
        read(X)
    with pytest.raises((TypeError, ValueError), match="columns of X are not numeric: 0, 1"):
        read(np.array([["2026-01-01", "2026-01-02"]], dtype="datetime64[D]"))


def test_objects_that_are_numbers_are_read():
    assert read(np.array([[1, 2.5]], dtype=object)).values.tolist() == [[1.0, 2.5]]
    nullable = pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")})
    assert read(nullable).values.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "inf")])
def test_row_and_column_of_a_value_that_is_not_finite(value, word):
    X = np.zeros((4, 3))
    X[2, 1] = value
    with pytest.raises(ValueError, match=rf"X contains {word}\w* at row 2, column 1 \(1 such"):
        read(X)
    with pytest.raises(ValueError, match=rf"X contains {word}\w* at row 2, column width"):
        read(pd.DataFrame(X, columns=["length", "width", "weight"]))
    with pytest.raises(ValueError, match=r"at row 0, column \(2, 1\)"):
        read(X[None])


def test_large_finite_values_are_read():
    assert read(np.full((3, 2), 1e308)).values.max() == 1e308


def test_rows_are_chosen_without_copying_them():
    rows = read(np.arange(12.0).reshape(6, 2))
    chosen = rows.choose(np.array([5, 1, 3]))
    assert len(chosen) == 3
    assert chosen.values.tolist() == [[10.0, 11.0], [2.0, 3.0], [6.0, 7.0]]
    assert chosen[1:].values.tolist() == [[2.0, 3.0], [6.0, 7.0]]
    again = chosen.choose(np.array([2, 0]))
    assert again.values.tolist() == [[6.0, 7.0], [10.0, 11.0]]
    assert list(again.numbers(slice(0, 2))) == [3, 5]


def test_choosing_copies_nothing():
    rows, positions = read(np.zeros((1000, 1000))), np.arange(999)
    tracemalloc.start()
    try:
        rows.choose(positions)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 50_000


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(3), "Expected 2D array, got 1D array"),
        (pd.Series([1.0, 2.0]), "Expected a 2-dimensional container"),
        (np.zeros((0, 3)), "0 sample"),
        (np.zeros((3, 0)), "0 feature"),
        (np.zeros((3, 2), complex), "Complex data not supported"),
    ],
)
def test_what_scikit_learn_refuses_is_refused_in_its_words(X, message):
    with pytest.raises(ValueError, match=message):
        read(X)


class Items:
    """A data set in the sense of torch, made where torch is at hand."""

    def __new__(cls, items):
        from torch.utils import data

        class DataSet(data.Dataset):
            def __len__(self):
                return len(items)

            def __getitem__(self, i):
                return items[i]

        return DataSet()


def test_containers_of_torch():
    import torch

    X, y = np.random.default_rng(0).normal(size=(600, 2, 3)).astype(np.float32), np.arange(600)
    tensor = torch.from_numpy(X).requires_grad_()
    with_labels = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(with_labels, batch_size=7)
    for given in (tensor, with_labels, loader, Items(list(zip(X, y))), Items(list(X))):
        rows = read(given)
        assert rows.dtype == np.float32
        assert np.array_equal(rows.values, X)
    for low in (torch.bfloat16, torch.float16):
        assert read(torch.ones(3, 2, dtype=low)).dtype == np.float32
    assert read(torch.ones(3, 2, dtype=torch.int64)).dtype == np.float64


def test_loaders_in_an_order_of_their_own():
    """What counts is that every pass has the same order."""
    from torch.utils import data

    numbers = Items([np.full(2, i, np.float32) for i in range(40)])
    last_first = data.DataLoader(numbers, sampler=list(range(40))[::-1], batch_size=3)
    assert read(last_first).values[:, 0].tolist() == list(range(40))[::-1]
    arrays = data.DataLoader(numbers, batch_size=3, collate_fn=np.stack)
    assert read(arrays).values[:, 0].tolist() == list(range(40))
    random = data.RandomSampler(numbers)
    drawn_once = list(data.BatchSampler(random, 7, drop_last=False))
    assert len(read(data.DataLoader(numbers, batch_sampler=drawn_once))) == 40
    for options in (
        {"shuffle": True},
        {"sampler": data.SubsetRandomSampler(range(40))},
        {"sampler": data.WeightedRandomSampler(np.ones(40), 40)},
        {"batch_sampler": data.BatchSampler(random, 7, drop_last=False)},
    ):
        with pytest.raises(ValueError, match="DataLoader that shuffles"):
            read(data.DataLoader(numbers, **options))


def test_containers_of_torch_that_are_refused():
    import torch

    numbers = torch.utils.data.TensorDataset(torch.ones(5, 2))
    with pytest.raises(ValueError, match="its batches give dict"):
        read(Items([{"X": np.ones(3)}, {"X": np.ones(3)}]))
    with pytest.raises(ValueError, match="X holds no rows"):
        read(torch.utils.data.DataLoader(numbers, batch_size=9, drop_last=True))


def test_extended_precision_is_read_where_doubles_hold_it():
    if np.finfo(np.longdouble).nmant == np.finfo(float).nmant:
        pytest.skip("extended precision is double precision on this platform")
    rows = read_inputs(np.array([[0.5, 1.0]], np.longdouble), owner=None)
    assert rows.values.dtype == rows.dtype == np.float64
    third = np.longdouble(1) / 3
    for bad in (third, np.longdouble(10) ** 400):
        X = np.array([[0.5, bad]], np.longdouble)
        with pytest.raises(ValueError, match=r"^X holds .* at \(0, 1\), which is no number of dou"):
            read_inputs(X, owner=None)
    remedy = np.array([[0.5, third]], np.longdouble).astype(float)
    assert read_inputs(remedy, owner=None).values[0, 1] == 1 / 3
    nan = np.array([[np.nan]], np.longdouble)
    with pytest.raises(ValueError, match="NaN"):
        read_inputs(nan, owner=None)


def test_lazy_tables_are_refused_with_what_makes_them_frames():
    lazy = polars.LazyFrame({"a": [0.5, 1.0]})
    with pytest.raises(TypeError, match=r"got polars.*LazyFrame\. Pass X\.collect\(\)"):
        read(lazy)
    assert read(lazy.collect()).columns == ("a",)


class Arrow:
    """As a table of pyarrow: an array of it has lost the names of its columns."""

    column_names, shape = ("a", "b"), (2, 2)

    def __len__(self):
        return 2

    def __array__(self, dtype=None, copy=None):
        return np.eye(2)

    def to_pandas(self):
        return pd.DataFrame(np.eye(2), columns=self.column_names)


class Later:
    """As a frame of dask."""

    columns = ("a", "b")

    def compute(self):
        return Arrow().to_pandas()


@pytest.mark.parametrize(("X", "remedy"), [(Arrow(), "to_pandas"), (Later(), "compute")])
def test_other_tables_are_refused_with_what_makes_them_frames(X, remedy):
    with pytest.raises(TypeError, match=rf"Pass X\.{remedy}\(\)"):
        read(X)
    assert read(getattr(X, remedy)()).columns == ("a", "b")


@pytest.mark.parametrize("kind", [list, pd.Series, np.array])
def test_a_column_of_texts(kind):
    texts = ["red is warm", "blue is cold"] * 10
    with pytest.raises(ValueError, match=r"X is one column of texts\. Turn them into"):
        read(kind(texts))
    X = make_pipeline(TfidfVectorizer(), TruncatedSVD(2)).fit_transform(texts)
    assert read(X).shape == (2,)
