"""The TLS settings that REST and websocket share: which authorities vouch for the server's certificate."""

from __future__ import annotations

import ssl

from mattermost_load_test.errors import ConfigurationError


def tls_context(ca_file: str = "", verify: bool = True) -> ssl.SSLContext:
    """Return a client's TLS context that trusts the system's authorities and those in `ca_file` (PEM), if one is named.

    Reads certificates from disk, which takes some milliseconds: call it once, outside the event loop. `verify` off
    accepts any certificate. Raises `ConfigurationError` when `ca_file` cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "no PEM certificate"
            raise ConfigurationError(
                f"ConnectionConfiguration.CAFile: {ca_file} cannot be used ({reason}); "
                "name a PEM file with the certificates of the authorities to trust"
            ) from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
