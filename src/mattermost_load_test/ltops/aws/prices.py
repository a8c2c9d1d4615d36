"""What instances cost by the hour, as AWS's price list says.

Products and their terms have the form of https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-an-offer.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from botocore.config import Config

from mattermost_load_test.errors import CloudError
from mattermost_load_test.ltops.aws.account import Account, refusals
from mattermost_load_test.ltops.aws.offers import Wanted, database_class

NOT_COUNTED = "storage, traffic and public addresses are not counted"
"""What a cluster costs beside its instances: by use, or little."""

_ENGINES = {"aurora-postgresql": "Aurora PostgreSQL", "aurora-mysql": "Aurora MySQL"}
"""What the price list calls them."""

_LINUX = {"operatingSystem": "Linux", "preInstalledSw": "NA", "tenancy": "Shared", "capacitystatus": "Used"}
_PATIENCE = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "max_attempts": 2})
"""It is worth no long wait."""


@dataclass(frozen=True, slots=True)
class Charge:
    """So many instances of a type at a price each by the hour."""

    kind: str
    count: int
    each: Decimal
    currency: str

    @property
    def total(self) -> Decimal:
        """What they cost together."""
        return self.count * self.each


def charges(account: Account, wanted: Wanted) -> list[Charge]:
    """Return what a cluster's instances cost; raises `CloudError` where AWS does not tell, or not of all."""
    pricing = account.client("pricing", region=_endpoint(account.region), config=_PATIENCE)
    found = [
        Charge(kind, count, *_price(pricing, "AmazonEC2", "BoxUsage", kind, account.region, _LINUX))
        for kind, count in wanted.hosts.items()
    ]
    if wanted.db_type:
        kind, engine = database_class(wanted.db_type), {"databaseEngine": _ENGINES[wanted.db_engine]}
        price = _price(pricing, "AmazonRDS", "InstanceUsage", kind, account.region, engine)
        found.append(Charge(kind, wanted.db_count, *price))
    return found


def _endpoint(region: str) -> str:
    """Return the region whose endpoint tells of all regions; China has a list of its own."""
    return "cn-northwest-1" if region.startswith("cn-") else "us-east-1"


def _price(
    pricing: Any, service: str, usage: str, kind: str, region: str, attributes: Mapping[str, str]
) -> tuple[Decimal, str]:
    """Return the price of an hour on demand, and its currency; raises `CloudError`."""
    wanted = {"instanceType": kind, "regionCode": region, **attributes}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in wanted.items()]
    try:
        with refusals("AWS's price list"):
            pages = pricing.get_paginator("get_products").paginate(ServiceCode=service, Filters=filters)
            products = [json.loads(product) for page in pages for product in page["PriceList"]]
        prices = {price for product in products for price in _hourly(product, f"{usage}:{kind}")}
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
        raise CloudError(f"AWS's price list tells of {kind} in a form that is not known") from None
    if len(prices) != 1:
        raise CloudError(f"AWS's price list has {len(prices) or 'no'} prices of {kind} in {region}")
    return prices.pop()


def _hourly(product: Mapping[str, Any], usage: str) -> Iterator[tuple[Decimal, str]]:
    """Yield a product's prices of an hour on demand, if it is for this usage, such as ``EUC1-BoxUsage:c7i.large``."""
    if not re.fullmatch(rf"(?:\w+-)?{re.escape(usage)}", product["product"]["attributes"]["usagetype"]):
        return
    for term in product["terms"].get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            if dimension["unit"] == "Hrs":
                yield from ((Decimal(amount), currency) for currency, amount in dimension["pricePerUnit"].items())
