"""``python -m sksmooth verify``: check the evidence in a file."""

from sksmooth.cli._certify import add_model, load_smoother
from sksmooth.cli._files import load_labels
from sksmooth.estimators._stored import replay
from sksmooth.store import SQLiteStore
from sksmooth.store.checker import main as check_alone

REFUSED = 1


def add_verify(commands):
    """Add the command."""
    parser = commands.add_parser("verify", help="check a finished run, with model and data closer")
    parser.add_argument("file", help="file of the run")
    add_model(parser)
    parser.add_argument("--sample", type=int, default=20, help="rows to take votes of again (20)")
    parser.add_argument("--sample-seed", type=int, help="seed of the choice of rows")
    parser.set_defaults(run=run_verify)


def run_verify(options):
    """Check, and return 0 if nothing was found."""
    if (options.model is None) != (options.data is None):
        raise ValueError("A replay needs both --model and --data.")
    status = check_alone([options.file])
    if status or options.model is None:
        if not status:
            print("Votes were believed. With --model and --data some are taken again.")
        return status
    smoother, X = load_smoother(options)
    rows, problems = replay(
        smoother,
        X,
        SQLiteStore(options.file, read_only=True),
        n_rows=options.sample,
        labels=load_labels(options.labels),
        random_state=options.sample_seed,
    )
    for problem in problems:
        print(problem)
    if problems:
        print(f"REFUSED: {len(problems)} values of {len(rows)} rows differ from the replay.")
        return REFUSED
    print(f"Model and data are those of the run. All votes of {len(rows)} rows were taken again.")
    return 0
