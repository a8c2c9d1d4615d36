"""Every error this toolkit raises on purpose, in one tree.

::

    LoadTestError                     exit code 1, the run or operation failed
    ├── OutputError                   1  a file could not be written (disk full, no permission)
    ├── OperationError                1  something that was asked for did not succeed
    │   ├── ClusterBusyError          1  another `ltops` works on the cluster
    │   └── StepsFailedError          1  parts of an operation failed; the message says which, why and how to go on
    ├── NothingToActOn                1  an action found nothing to act on; the entity's loop counts it as skipped
    ├── UsageError                    2  the command was used wrongly
    │   ├── ConfigurationError        2  loadtestconfig.json or its environment overrides
    │   ├── ResultsFileError          2  a results log that is missing, empty or holds no timings
    │   ├── TokenCacheError           2  a file of session tokens that is broken, in use, or readable by others
    │   ├── PortInUseError            2  an address to listen on is taken
    │   ├── GateSyntaxError           2  a gate that cannot be read, or names what does not exist
    │   ├── ArtifactError             2  a file or name that is no Mattermost, or no bundle of the agent
    │   └── ClusterError              2  a cluster that is unknown, exists already, or is not ready for what is asked
    │       └── StateFileError        2  a cluster's state file that cannot be read
    │           └── ForeignStateError 2  one that another program or a newer version wrote
    ├── ServerError                   3  the server could not be reached, or refused
    │   ├── ServerUnreachableError    3  no connection: refused, name unknown, certificate, reset
    │   │   └── CertificateError      3  the server's certificate is not signed by a known authority
    │   ├── RequestTimeoutError       3  no complete answer within the request time-out
    │   ├── AdminLoginError           3  the configured system admin cannot log in, or is none
    │   ├── ServerHostError           3  the server's own host cannot be reached by SSH, or lacks its command line
    │   ├── HostError                 3  a host of a cluster cannot be reached by SSH, refuses us, or has another key
    │   ├── UnexpectedAnswerError     3  an answer that is not Mattermost's (HTML, broken JSON)
    │   ├── ApiError                  3  an answer with an error status
    │   ├── CloudError                3  a cloud cannot be reached, refuses what is asked, or has no more of it
    │   └── DatabaseError             3  Mattermost's database refused what was asked of it, or holds no Mattermost
    │       └── DatabaseUnreachableError  3  no connection to the database, or it was lost
    ├── DownloadError                 3  something could not be downloaded: no connection, not there, cut off
    ├── AgentSaturatedError           4  the agent could not keep up: figures are not to be trusted
    ├── GateFailedError              99  a gate on the results failed
    └── InterruptedRunError         130  stopped by Ctrl-C or SIGTERM; results so far are written

A message says what happened, where, and what to do about it; it never holds a secret.
"""

from __future__ import annotations

from typing import ClassVar


class LoadTestError(Exception):
    """Base of all errors of this toolkit: its text is shown to the user, its `exit_code` ends the command."""

    exit_code: ClassVar[int] = 1


class OutputError(LoadTestError):
    """A file could not be written; what was written before it is intact."""


class OperationError(LoadTestError):
    """An operation was carried out and did not succeed."""


class ClusterBusyError(OperationError):
    """Another `ltops` works on the cluster; nothing was done."""


class StepsFailedError(OperationError):
    """Parts of an operation failed, the others were carried out; the same command goes on from there."""


class NothingToActOn(LoadTestError):
    """A user's action found nothing to act on; `missing` names it (team, channel). Counted as skipped, never shown."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"the user has no {missing} to act on; check that the population was loaded")
        self.missing = missing


class UsageError(LoadTestError):
    """A command was given something it cannot work with."""

    exit_code = 2


class ConfigurationError(UsageError):
    """The configuration cannot be used; the message lists every problem, each with its place."""


class ResultsFileError(UsageError):
    """A results log cannot be used."""


class TokenCacheError(UsageError):
    """A file of session tokens cannot be used: broken, in use by another agent, or readable by others."""


class GateSyntaxError(UsageError):
    """A gate cannot be read; the message has its place and what was expected there."""


class PortInUseError(UsageError):
    """An address to listen on is taken by another program."""


class ArtifactError(UsageError):
    """A file or name is not what is to be deployed: no Mattermost, no bundle of the agent, or broken."""


class ClusterError(UsageError):
    """A cluster is unknown, exists already, or is not ready for what is asked of it."""


class StateFileError(ClusterError):
    """A cluster's state file is missing or broken."""


class ForeignStateError(StateFileError):
    """A cluster's state file was written by another program, or by a newer version of this one."""


class ServerError(LoadTestError):
    """A server could not be reached, or refused what was asked.

    `kind` is the short word under which the failure is counted in results.
    """

    exit_code = 3
    kind: str = "server"


class ServerUnreachableError(ServerError):
    """No connection to the server: refused, reset, or its name is unknown."""

    kind = "connection"


class CertificateError(ServerUnreachableError):
    """The server's certificate is not signed by an authority known here."""

    kind = "certificate"


class RequestTimeoutError(ServerError):
    """The server did not answer completely within the request time-out."""

    kind = "timeout"


class AdminLoginError(ServerError):
    """The server does not take the configured account as its system admin."""

    kind = "admin login"


class ServerHostError(ServerError):
    """The server's own host cannot be reached by SSH, or the server's command line is not there."""

    kind = "server host"


class HostError(ServerError):
    """A host of a cluster cannot be reached by SSH, refuses us, or has another key than it is known by."""

    kind = "host"


class UnexpectedAnswerError(ServerError):
    """The server answered with something that no Mattermost answers."""

    kind = "unexpected answer"


class ApiError(ServerError):
    """The server answered a request with an error status.

    `route` is the route's name, `status` the HTTP status, `error_id` the server's own error id (empty if it sent
    none), `server_message` what it said and `retry_after_s` what a 429 asked to wait, if it said so.
    """

    def __init__(
        self,
        route: str,
        status: int,
        error_id: str = "",
        server_message: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        detail = f" {error_id}" if error_id else ""
        said = f": {server_message}" if server_message else ""
        super().__init__(f"{route} was answered {status}{detail}{said}")
        self.route = route
        self.status = status
        self.error_id = error_id
        self.server_message = server_message
        self.retry_after_s = retry_after_s
        self.kind = str(status)


class CloudError(ServerError):
    """A cloud cannot be reached, refuses what is asked of it, or has no more of it."""

    kind = "cloud"


class DatabaseError(ServerError):
    """Mattermost's database refused what was asked of it, or holds no Mattermost."""

    kind = "database"


class DatabaseUnreachableError(DatabaseError):
    """There is no connection to Mattermost's database: it could not be made, or it was lost."""


class DownloadError(LoadTestError):
    """A download did not come about: there is no connection, nothing at the address, or no end to its interruptions."""

    exit_code = 3


class AgentSaturatedError(LoadTestError):
    """The agent could not keep up with the load it was asked for; its figures are not to be trusted."""

    exit_code = 4


class GateFailedError(LoadTestError):
    """A gate on the results failed."""

    exit_code = 99


class InterruptedRunError(LoadTestError):
    """A run was stopped by the user; what was measured until then is written and reported."""

    exit_code = 130
