"""``python -m sksmooth certify``: certify rows of a file, and write what is proven to another."""

import argparse

from sklearn.pipeline import Pipeline

from sksmooth.cli._files import load_data, load_labels, load_model, named_frame, smoother_of
from sksmooth.estimators._certify import find_certifier
from sksmooth.store import Run

# Parameters of calls that the command line may set, beside those of the run.
_PARAMETERS = ("alpha", "n_estimation", "n_selection", "norm", "batch_size", "n_jobs")
_OPTIONS = ("radius", "changes", "rtol", "top_k", "bilateral", "simultaneous")


def add_model(parser):
    """Add the arguments that name a model and its data."""
    parser.add_argument("--model", help="fitted smoother (or classifier, with --sigma), .skops")
    parser.add_argument("--data", help="rows: .npy (memory-mapped), .npz, .csv or .parquet")
    parser.add_argument("--labels", help="true labels of all rows: .npy, .npz, .csv or .parquet")
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="read .pkl and .joblib: a pickle can run any code, so trust only your own",
    )
    parser.add_argument(
        "--trust", action="append", default=[], metavar="TYPE", help="a type in the .skops file"
    )
    parser.add_argument("--sigma", type=float, help="noise for a classifier that is no smoother")
    parser.add_argument("--noise", help="its kind: gaussian, laplace, uniform or splitting")


def add_certify(commands):
    """Add the command."""
    parser = commands.add_parser(
        "certify", help="certify rows of a file; the same command again goes on"
    )
    add_model(parser)
    parser.add_argument("--out", required=True, help="file that results are written to, .sqlite")
    parser.add_argument("--rows", type=_rows, metavar="A:B", help="rows A to B - 1 only")
    parser.add_argument("--seed", type=int, help="seed, where the model has no random_state")
    parser.add_argument("--chunk-rows", type=int, help="rows that are written together")
    parser.add_argument("--radius", type=float, help="only decide whether this radius holds")
    parser.add_argument("--changes", type=int, help="... after so many changes of categories")
    parser.add_argument("--rtol", type=float, help="accept radii that are smaller by this part")
    parser.add_argument("--top-k", type=int, help="places that the class may fall back to")
    parser.add_argument("--bilateral", action="store_true", default=None)
    parser.add_argument("--simultaneous", action="store_true", default=None)
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--n-estimation", type=int, help="draws that certify a row")
    parser.add_argument("--n-selection", type=int, help="draws that select its class")
    parser.add_argument("--norm", type=float, help="norm of the radius; inf for the largest")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--n-jobs", type=int, help="workers")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(run=run_certify)


def run_certify(options):
    """Certify, and say what was written."""
    for name in ("model", "data"):
        if getattr(options, name) is None:
            raise ValueError(f"certify needs --{name}.")
    smoother, X = load_smoother(options)
    given = {n: getattr(options, n) for n in _PARAMETERS if getattr(options, n) is not None}
    known = smoother.get_params(deep=False)
    for name in given:
        if name not in known:
            raise ValueError(f"{type(smoother).__name__} has no parameter {name}.")
    smoother.set_params(**given)
    run = Run(
        options.out,
        rows=options.rows,
        labels=load_labels(options.labels),
        chunk_rows=options.chunk_rows,
        seed=options.seed,
        verbose=not options.quiet,
    )
    asked = {n: getattr(options, n) for n in _OPTIONS if getattr(options, n) is not None}
    try:
        certificate = smoother.certify(X, store=run, **asked)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise ValueError(f"{type(smoother).__name__}: {error}.") from error
    print(certificate)
    print(f"Written to {options.out}. Next: python -m sksmooth report {options.out}")
    return 0


def load_smoother(options):
    """Return the smoother and the rows that arguments name."""
    model = load_model(
        options.model, trust_pickle=options.trust_pickle, trusted=tuple(options.trust)
    )
    X = named_frame(load_data(options.data), model)
    if isinstance(model, Pipeline) or hasattr(model, "best_estimator_"):
        return find_certifier(model, X)
    return smoother_of(model, sigma=options.sigma, noise=options.noise), X


def _rows(text):
    first, colon, stop = text.partition(":")
    if not (colon and first.isdigit() and stop.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is no range of rows such as 0:1000")
    return int(first), int(stop)
