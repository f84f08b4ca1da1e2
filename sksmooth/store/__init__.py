"""Where the results of long runs live: written chunk by chunk, continued, and bound by hashes."""

from sksmooth.store._base import Store
from sksmooth.store._memory import MemoryStore
from sksmooth.store._merge import merge
from sksmooth.store._run import Run
from sksmooth.store._sqlite import SQLiteStore

__all__ = ["MemoryStore", "Run", "SQLiteStore", "Store", "merge"]
