"""``python -m sksmooth report``: a run as tables, a picture and a page."""

from itertools import islice
from pathlib import Path

from sksmooth.exceptions import StoreError
from sksmooth.reports import Report
from sksmooth.store import SQLiteStore

_FORMS = ("csv", "parquet", "json", "picture", "html")
_COLUMNS = ("row", "prediction", "label", "radius", "certified", "n_draws")


def add_report(commands):
    """Add the command."""
    parser = commands.add_parser("report", help="say what a run proved, on screen and in files")
    parser.add_argument("file", help="file of the run; it is only read")
    parser.add_argument("--csv", metavar="FILE", help="table with one line for each row")
    parser.add_argument("--parquet", metavar="FILE", help="the same as parquet")
    parser.add_argument("--json", metavar="FILE", help="description, statements and rows")
    parser.add_argument("--picture", metavar="FILE", help="curve, .pdf, .png or .svg")
    parser.add_argument("--html", metavar="FILE", help="one page that needs nothing else")
    parser.add_argument(
        "--radius", type=float, default=0.0, help="radius of statements about the population"
    )
    parser.add_argument("--show", type=int, default=10, help="rows on the screen (10)")
    parser.set_defaults(run=run_report)


def run_report(options):
    """Print what was proven, and write the files that are asked for."""
    wanted = {form: getattr(options, form) for form in _FORMS if getattr(options, form)}
    for form, path in wanted.items():
        _refuse_bad_target(form, path, options.file)
    report = Report(SQLiteStore(options.file, read_only=True), options.radius)
    _print_table(report, options.show)
    print("\n".join(report.lines()))
    for form, path in wanted.items():
        try:
            getattr(report, f"write_{form}")(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}") from error
        print(f"Written: {path}")
    return 0


def _print_table(report, n_rows):
    shown = list(islice(report.rows(), max(0, n_rows)))
    if not shown:
        return
    names = [name for name in _COLUMNS if name in shown[0]]
    print("".join(f"{name:>14}" for name in names))
    for row in shown:
        print("".join(f"{_short(row[name]):>14}" for name in names))
    print()


def _short(value):
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) < 14 else text[:10] + "..."


def _refuse_bad_target(form, path, source):
    target = Path(path)
    if not target.absolute().parent.is_dir():
        raise ValueError(f"There is no folder {target.absolute().parent}.")
    if target.exists() and Path(source).exists() and target.samefile(source):
        raise ValueError(f"{path} is the file of the run itself.")
    if form == "picture" and target.suffix not in (".pdf", ".png", ".svg"):
        raise ValueError(f"{path} does not end in .pdf, .png or .svg.")
