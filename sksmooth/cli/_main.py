"""Command line: ``python -m sksmooth``."""

import argparse
import sys
from pathlib import Path

from sksmooth.cli._certify import add_certify
from sksmooth.cli._demo import run_demo
from sksmooth.cli._merge import add_merge
from sksmooth.cli._report import add_report
from sksmooth.cli._status import add_status
from sksmooth.cli._verify import add_verify
from sksmooth.exceptions import OtherRunError, StoreError
from sksmooth.reports._versions import version_of

# What a command ends with, beside 0.
EXIT_CODES = {
    1: "the evidence was refused (verify)",
    2: "an argument, a model or data cannot work",
    3: "the file holds a run of something else",
    4: "the run is not finished (verify)",
    5: "the file cannot be written or read",
    130: "interrupted; what was done is kept",
}


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    status : int
        0 if all went well; `EXIT_CODES` has the others.
    """
    options = _parser().parse_args(argv)
    if options.run is run_demo:
        return options.run(options)
    try:
        return options.run(options)
    except OtherRunError as error:
        return _failed(error, 3)
    except StoreError as error:
        return _failed(error, 5)
    except (ImportError, OSError, TypeError, ValueError) as error:
        return _failed(error, 2)
    except KeyboardInterrupt:
        out = getattr(options, "out", None)
        kept = f" What is done is kept in {out}: the same command goes on." if out else ""
        print(f"\nInterrupted.{kept}", file=sys.stderr)
        return 130


def _failed(error, status):
    notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
    print(f"error: {error}{notes}", file=sys.stderr)
    return status


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m sksmooth",
        description=__doc__,
        epilog="Exit codes: 0 all went well; "
        + "; ".join(f"{code} {words}" for code, words in EXIT_CODES.items()),
    )
    parser.add_argument("--version", action="version", version=f"sksmooth {version_of('sksmooth')}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for add in (add_certify, add_status, add_report, add_verify, add_merge):
        add(commands)
    demo = commands.add_parser("demo", help="certify held-out handwritten digits and draw a curve")
    demo.add_argument(
        "--rows", type=_between(20, 1000), default=300, help="held-out rows to certify (300)"
    )
    demo.add_argument(
        "--draws",
        type=_between(10, 1_000_000),
        default=10_000,
        help="most noisy copies per row (10000)",
    )
    demo.add_argument(
        "--output",
        type=_picture,
        default="certified_accuracy.png",
        help="picture (certified_accuracy.png)",
    )
    demo.set_defaults(run=run_demo)
    return parser


def _between(low, high):
    """Argument type: a whole number in a range."""

    def number(text):
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return number


def _picture(text):
    """Argument type: a file that a picture can be written to."""
    path = Path(text)
    if path.suffix not in (".pdf", ".png", ".svg"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .pdf, .png or .svg")
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.absolute().parent}")
    return text
