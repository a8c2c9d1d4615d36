"""What values of a configuration may be, and what every section of it has in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from mattermost_load_test.config.keys import checked_address, checked_url

MAX_COUNT = 100_000_000
"""The largest count of anything: far beyond every server, and still small enough for indices of 32 bits."""

MAX_PROCESSES = 1024
"""The most worker processes of an agent."""

DAY_MS = 24 * 60 * 60 * 1000

HttpUrl = Annotated[str, AfterValidator(checked_url("http", "https"))]
OptionalHttpUrl = Annotated[str, AfterValidator(checked_url("http", "https", empty=True))]
ListenAddress = Annotated[str, AfterValidator(checked_address)]
WebsocketUrl = Annotated[str, AfterValidator(checked_url("ws", "wss"))]


def _folded(to_upper: bool) -> BeforeValidator:
    """Return a validator that writes a text in one case and without blanks around it."""

    def fold(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return value.strip().upper() if to_upper else value.strip().lower()

    return BeforeValidator(fold)


Driver = Annotated[Literal["mysql", "postgres"], _folded(to_upper=False)]
BulkLoadMethod = Annotated[Literal["auto", "rest", "cli", "database"], _folded(to_upper=False)]
WebsocketTransport = Annotated[Literal["lean", "websockets"], _folded(to_upper=False)]
HTTPTransport = Annotated[Literal["httptools", "aiohttp"], _folded(to_upper=False)]
Level = Annotated[Literal["DEBUG", "INFO", "WARN", "ERROR"], _folded(to_upper=True)]


class Section(BaseModel):
    """A section of the configuration file."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where a number is wanted, which pydantic would take for 1 and 0."""
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation in (int, float):
            raise PydanticCustomError("no_number", "must be a number")
        return value
