"""Entry point of ``python -m sksmooth``."""

import sys

from sksmooth.cli import main

if __name__ == "__main__":
    sys.exit(main())
