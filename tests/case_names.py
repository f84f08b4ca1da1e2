"""Names of parametrized cases that are the same in every process."""

import re


def name_of_case(case):
    """Return the text of a case without addresses in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(case))
