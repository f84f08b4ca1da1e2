"""Command line: ``python -m sksmooth``."""

import argparse
from pathlib import Path

from sksmooth.cli._demo import run_demo


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    status : int
        0 if all went well.
    """
    parser = argparse.ArgumentParser(prog="python -m sksmooth", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
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
    options = parser.parse_args(argv)
    return options.run(options)


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
