"""Gates: conditions under which a run's results are not good enough. Pure: no sockets, no files, no clock.

`language` reads them, `judging` decides them. docs/results.md says how they are written and what each means.
"""

from .judging import Facts, GateResult, Outcome, failure_of, judge
from .language import Gate, Limit, Significant, parse, parse_file

__all__ = [
    "Facts",
    "Gate",
    "GateResult",
    "Limit",
    "Outcome",
    "Significant",
    "failure_of",
    "judge",
    "parse",
    "parse_file",
]
