"""What is said when a request gets no answer, in the same words whatever library found out.

`url_key` is the configuration's key that the server's address comes from.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl

from mattermost_load_test.errors import (
    CertificateError,
    RequestTimeoutError,
    ServerUnreachableError,
    UnexpectedAnswerError,
)


def timed_out(server: str, route: str, timeout_s: float) -> RequestTimeoutError:
    """Return the error for an answer that was not complete in time."""
    return RequestTimeoutError(
        f"{server} did not answer {route} completely within {timeout_s:g} s "
        "(ConnectionConfiguration.RequestTimeoutSeconds): is it overloaded, or is it something else?"
    )


def no_http(server: str, url_key: str, route: str) -> UnexpectedAnswerError:
    """Return the error for an answer that is not HTTP."""
    return UnexpectedAnswerError(
        f"{server} answered {route} with something that is not HTTP; check {url_key}, scheme and port included"
    )


def too_large(server: str, route: str, largest_bytes: int) -> UnexpectedAnswerError:
    """Return the error for an answer that is larger than any of a Mattermost."""
    return UnexpectedAnswerError(
        f"{server} answered {route} with more than {largest_bytes >> 20} MiB, as no Mattermost does; what is there?"
    )


def broken_off(server: str, route: str, error: BaseException | None) -> ServerUnreachableError:
    """Return the error for a connection that ended before the answer did."""
    return ServerUnreachableError(
        f"{server} broke the connection off before {route} was answered completely"
        f"{_reason(error)}; look into the server's and the proxy's log"
    )


def not_connected(server: str, url_key: str, error: BaseException) -> ServerUnreachableError:
    """Return the error for a connection that could not be made; `error` is ssl's, the resolver's or the system's."""
    if isinstance(error, ssl.CertificateError):
        return CertificateError(
            f"the certificate of {server} cannot be verified ({error}); name the authority's "
            "certificate in ConnectionConfiguration.CAFile, or switch the check off by SkipCertificateVerification"
        )
    if isinstance(error, ssl.SSLError):
        return ServerUnreachableError(f"{server} does not speak TLS; should {url_key} be http://?")
    if isinstance(error, socket.gaierror):
        return ServerUnreachableError(f"the host of {server} is unknown; check {url_key}")
    if isinstance(error, OSError) and error.errno == errno.EMFILE:
        return ServerUnreachableError(f"no connection to {server}: too many open files; raise the limit by `ulimit -n`")
    return ServerUnreachableError(f"no connection to {server}{_reason(error)}; does the server run there? ({url_key})")


def _reason(error: BaseException | None) -> str:
    """Return what the operating system says about `error`, in brackets, or nothing."""
    number = error.errno if isinstance(error, OSError) else None
    return f" ({os.strerror(number)})" if number and number > 0 else ""  # a resolver's numbers are negative
