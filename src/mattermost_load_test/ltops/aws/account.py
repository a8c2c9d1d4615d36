"""Which account and region of AWS to work with, and what AWS's refusals mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from mattermost_load_test.errors import CloudError, UsageError

PROFILE = "ltops"
"""The profile that is used where nothing else is said, if the AWS configuration has it."""

_CHOSEN_ALREADY = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "SignatureDoesNotMatch"}
_REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "OptInRequired"}
_WORDS_MAX = 300
_CONFIG = Config(connect_timeout=10, read_timeout=30, retries={"mode": "standard", "max_attempts": 4})


class Account:
    """An account of AWS as a profile opens it, in one region."""

    def __init__(self, profile: str, region: str) -> None:
        """Open a profile, empty for the default chain of credentials; raises `UsageError` where it is not there."""
        self.profile = profile
        with refusals("the AWS configuration"):
            self._session = boto3.Session(profile_name=profile or None, region_name=region or None)
        self.region = str(self._session.region_name or "")
        if not self.region:
            raise UsageError(f"no AWS region is chosen: give --region, such as eu-central-1{_in_profile(profile)}")

    def client(self, service: str, *, region: str = "", config: Config = _CONFIG) -> Any:
        """Return a client of a service, in another region if need be; raises `UsageError` for one it does not know."""
        with refusals(service):
            return self._session.client(service, region_name=region or None, config=config)

    def check(self) -> str:
        """Return who we are; raises `UsageError` without credentials, `CloudError` for those that AWS refuses."""
        with refusals("AWS"):
            return str(self.client("sts").get_caller_identity()["Arn"])


def chosen_profile(given: str, environ: Mapping[str, str]) -> str:
    """Return the profile to use: the one given, what the environment chooses (as empty), ``ltops`` if there is one."""
    if given or any(environ.get(name) for name in _CHOSEN_ALREADY):
        return given
    with refusals("the AWS configuration"):
        return PROFILE if PROFILE in boto3.Session().available_profiles else ""


def chosen_region(given: str, environ: Mapping[str, str]) -> str:
    """Return the region given, else the environment's, else empty: the profile's is taken then.

    AWS's other tools read AWS_REGION; boto3 reads only the older AWS_DEFAULT_REGION.
    """
    return given or environ.get("AWS_REGION", "")


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Raise our errors for AWS's: `UsageError` for what is wrong here, `CloudError` for what is wrong there."""
    try:
        yield
    except ProfileNotFound as error:
        raise UsageError(f"{error}: `aws configure --profile NAME` makes one") from None
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UsageError(
            f"there are no AWS credentials ({error}): `aws configure --profile {PROFILE}`, --profile, or the variables "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from None
    except NoRegionError:
        raise UsageError("no AWS region is chosen: give --region, such as eu-central-1") from None
    except (SSOError, TokenRetrievalError, UnauthorizedSSOTokenError) as error:
        raise CloudError(f"{what}: {error}: log in again with `aws sso login`") from None
    except ClientError as error:
        raise CloudError(f"{what} refused: {_meaning(error)}") from None
    except (EndpointConnectionError, HTTPClientError) as error:
        raise CloudError(f"{what} cannot be reached: {error}; check --region and the network") from None
    except ResponseParserError:
        raise CloudError(f"{what} answered with something that is no answer of AWS; check AWS_ENDPOINT_URL") from None
    except BotoCoreError as error:
        raise UsageError(f"{what}: {error}") from None


def code_of(error: ClientError) -> str:
    """Return the code of an AWS error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _meaning(error: ClientError) -> str:
    """Return what an AWS error says, and what to do about it."""
    code = code_of(error)
    words = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    if words.startswith("<"):
        words = "a page of HTML"
    said = f"{error.operation_name}: {code}: {words if len(words) <= _WORDS_MAX else f'{words[:_WORDS_MAX]}…'}"
    if code in _EXPIRED:
        return f"the credentials have expired ({said}): log in again, or renew them"
    if code in _UNKNOWN:
        return f"it does not know these credentials ({said}): check the profile, or the variables AWS_ACCESS_KEY_ID…"
    if code in _REFUSED:
        return f"{said}; the permissions needed are in docs/terraform.md"
    return said


def _in_profile(profile: str) -> str:
    return f", or set it in the profile {profile}" if profile else ", or set AWS_REGION"
