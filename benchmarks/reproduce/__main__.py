"""Repeat what the sources claim.

python -m benchmarks.reproduce --list
python -m benchmarks.reproduce soap-equal-p lecture-draws
"""

import argparse
import sys
import time

from threadpoolctl import threadpool_limits

from benchmarks._tables import as_text, write_for_docs
from benchmarks.reproduce import CLAIMS, SOURCES
from benchmarks.reproduce._pages import table_of, write_pages


def main(argv=None):
    """Run the command line; return its status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reproduce", description=__doc__.splitlines()[0]
    )
    parser.add_argument("claims", nargs="*", metavar="claim", help="names, or 'fast' or 'all'")
    parser.add_argument("--list", action="store_true", help="name all claims, one in a line")
    parser.add_argument("--write", action="store_true", help="write tables and pages into docs/")
    options = parser.parse_args(argv)
    if options.list:
        print("\n".join(map(_line, CLAIMS.values())))
        return 0
    names = chosen(options.claims)
    unknown = [name for name in names if name not in CLAIMS]
    if unknown or not names:
        parser.error(f"unknown claim {', '.join(unknown)}; see --list" if unknown else "no claim")
    status = max(_repeat(CLAIMS[name], options.write) for name in names)
    if options.write:
        write_pages(SOURCES)
    return status


def chosen(names):
    """Return the names of claims, also for 'fast' and 'all'."""
    if names == ["all"]:
        return list(CLAIMS)
    if names == ["fast"]:
        return [name for name, claim in CLAIMS.items() if claim.is_fast]
    return names


def _line(claim):
    return (
        f"{claim.name:28} {claim.verdict:9} {claim.seconds:5} s  {claim.where}: {claim.says}"
    ).rstrip()


def _repeat(claim, write):
    if lacks := claim.missing():
        print(f"{claim.name}: {lacks}", file=sys.stderr)
        return 1
    print(f"{claim.name} ({claim.source}, {claim.where})\nThe source: {claim.says}", flush=True)
    began = time.monotonic()
    with threadpool_limits(limits=1):
        header, rows = claim.run()
    print(as_text(header, rows))
    print(f"Ours ({claim.verdict}, {time.monotonic() - began:.0f} s): {claim.ours}\n", flush=True)
    if not claim.holds(rows):
        print(f"{claim.name}: the table does not show this any more", file=sys.stderr)
        return 1
    if write:
        write_for_docs(table_of(claim), header, rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
