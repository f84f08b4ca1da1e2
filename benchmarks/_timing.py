"""Times of jobs that are run in turn, so that a busy machine is busy for all of them."""

import statistics
import time


def seconds_of(function, *args):
    """Processor time of a call: other processes on the machine do not count."""
    start = time.process_time()
    function(*args)
    return time.process_time() - start


def alternate(jobs, turns):
    """Seconds of every job in every turn; every second turn is in the opposite order.

    Parameters
    ----------
    jobs : dict of str to callable
        Called without arguments.
    turns : int
        Number of turns, at least 5 for figures that are published.

    Returns
    -------
    seconds : list of dict of str to float
    """
    seconds = []
    for turn in range(turns):
        names = list(jobs) if turn % 2 == 0 else list(jobs)[::-1]
        seconds.append({name: seconds_of(jobs[name]) for name in names})
    return seconds


def ratio(seconds, numerator, denominator, scale=1.0):
    """Median, smallest and largest ratio of two jobs over the turns."""
    ratios = [scale * turn[numerator] / turn[denominator] for turn in seconds]
    return statistics.median(ratios), min(ratios), max(ratios)
