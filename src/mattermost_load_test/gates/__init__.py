"""Gates: conditions under which a run's results are not good enough. Pure: no sockets, no files, no clock.

`language` reads them, `judging` decides them, `so_far` while a run goes on. docs/results.md says how they are written
and what each means.
"""

from .judging import Facts, GateResult, Outcome, failure_of, judge
from .language import Gate, Limit, Significant, parse, parse_file
from .so_far import AgentHealth, GatesSoFar

__all__ = [
    "AgentHealth",
    "Facts",
    "Gate",
    "GateResult",
    "GatesSoFar",
    "Limit",
    "Outcome",
    "Significant",
    "failure_of",
    "judge",
    "parse",
    "parse_file",
]
