"""``python -m sksmooth status``: how far a run has come."""

from datetime import datetime, timezone

from sksmooth.store import SQLiteStore
from sksmooth.store._log import open_log

# The rate is that of the last chunks.
_CHUNKS = 20


def add_status(commands):
    """Add the command."""
    parser = commands.add_parser("status", help="say how far a run has come, also while it goes on")
    parser.add_argument("file", help="file of the run")
    parser.set_defaults(run=run_status)


def run_status(options):
    """Print rows that are done and left, the rate, and the remaining time."""
    log = open_log(SQLiteStore(options.file, read_only=True))
    call, n_rows = log.call, log.description["data"]["n_rows"]
    recent = call.chunks[-_CHUNKS:]
    seconds = sum(chunk["seconds"] for chunk in recent)
    n_recent = sum(chunk["stop"] - chunk["first"] for chunk in recent)
    print(f"{call.n_done} of {n_rows} rows are done, {n_rows - call.n_done} are left.")
    if log.sealed:
        print("The run is finished." if call.n_done == n_rows else "This part is finished.")
        return 0
    if seconds > 0:
        rate = n_recent / seconds
        print(f"{rate:.3g} rows per second; {_in_words((n_rows - call.n_done) / rate)} to go.")
    if recent:
        age = datetime.now(timezone.utc) - datetime.fromisoformat(recent[-1]["written"])
        print(f"The last chunk was written {_in_words(max(age.total_seconds(), 0))} ago.")
    return 0


def _in_words(seconds):
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"
