"""One thread for each numerical library: imported before any of them.

Threads that wait for cores which others use make the suite many times slower.
"""

import os

from threadpoolctl import threadpool_limits

# Read by libraries that are imported from here on, also by processes that tests start.
for library in ("BLIS", "MKL", "OMP", "OPENBLAS"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"

threadpool_limits(limits=1)  # of those that are imported already
