"""Gates: conditions under which a run's results are not good enough. Pure: no sockets, no files, no clock.

`language` reads them, `judging` decides them. docs/results.md says how they are written and what each means.
"""

from .judging import Facts, GateResult, Outcome, judge
from .language import Gate, Significant, parse, parse_file

__all__ = ["Facts", "Gate", "GateResult", "Outcome", "Significant", "judge", "parse", "parse_file"]
