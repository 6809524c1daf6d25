"""Timing side by side."""

import statistics
import time

WARM_UP = 3
_SPINNING = 0.25  # seconds; OpenMP's runtimes spin for 0.2


def medians(functions, rounds=30, least=1e-3, threads=1):
    """Median time of each function, measured in turns, so that a slow moment of the machine hits all alike.

    Args:
        functions: dict of name -> function without arguments.
        rounds: int, measurements of each.
        least: float, seconds that one measurement takes at least; a faster function is called several times in it.
        threads: int, that each function uses. Thread pools wait for more work by spinning: with more than one, each
            function is given the machine only when the others' threads have gone to sleep.

    Returns:
        dict of name -> seconds a call.
    """
    calls = {name: _calls(function, least) for name, function in functions.items()}
    times = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            if threads > 1:
                time.sleep(_SPINNING)
                function()
            times[name].append(_time(function, calls[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def _calls(function, least):
    for _ in range(WARM_UP):
        function()
    return max(1, round(least / _time(function, 1)))


def _time(function, calls):
    begin = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - begin) / calls
