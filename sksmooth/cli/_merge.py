"""``python -m sksmooth merge``: put the parts of a run together."""

from sksmooth.store import merge
from sksmooth.store._log import open_log


def add_merge(commands):
    """Add the command."""
    parser = commands.add_parser("merge", help="put finished parts of a run together")
    parser.add_argument("parts", nargs="+", help="files of the parts")
    parser.add_argument("--out", required=True, help="file that the whole is written to")
    parser.set_defaults(run=run_merge)


def run_merge(options):
    """Merge, and say what is there."""
    whole = merge(options.out, options.parts)
    log = open_log(whole)
    print(f"{log.call.n_done} of {log.description['data']['n_rows']} rows are in {options.out}.")
    return 0
