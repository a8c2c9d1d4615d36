"""What a cluster on AWS costs: told before anything is made, kept, and no obstacle where it is not to be had."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.ltops.terraform.conftest import CREDENTIALS, REGION, Answer, Refuse

from mattermost_load_test.errors import CloudError
from mattermost_load_test.ltops.aws.account import Account
from mattermost_load_test.ltops.aws.offers import Wanted
from mattermost_load_test.ltops.aws.prices import charges

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.timeout(300)]

Ops = Any
"""An `Ops` of the conftest above."""

CREATE = ("create", "-c", "demo", "-t", "terraform", "--allow-cidr", "203.0.113.7", "--app-count", "2")
USD = {"c7i.xlarge": "0.2040000000", "c7i.large": "0.1020000000", "t3.large": "0.0960000000"}
DATABASE_USD = "0.3130000000"


def product(usage: str, amount: str, *, reserved: bool = False) -> str:
    """Return a product as the price list has it, with what does not matter left out."""
    dimension = {"unit": "Hrs", "appliesTo": [], "pricePerUnit": {"USD": amount}}
    term = {"priceDimensions": {"SKU.JRTCKXETXF.6YS6EN2CT7": dimension}, "termAttributes": {}}
    terms = {"Reserved" if reserved else "OnDemand": {"SKU.JRTCKXETXF": term}}
    return json.dumps({"product": {"sku": "SKU", "attributes": {"usagetype": usage}}, "terms": terms})


def price_list(body: str) -> Answer:
    """Return what AWS answers: of a database also the price with I/O included, which the module does not ask for."""
    asked = json.loads(body)
    wanted = {one["Field"]: one["Value"] for one in asked["Filters"]}
    kind = wanted["instanceType"]
    assert wanted["regionCode"] == REGION
    if asked["ServiceCode"] == "AmazonRDS":
        assert wanted["databaseEngine"] == "Aurora PostgreSQL"
        products = [
            product(f"EUC1-InstanceUsageIOOptimized:{kind}", "0.4070000000"),
            product(f"EUC1-InstanceUsage:{kind}", DATABASE_USD),
            product(f"EUC1-InstanceUsage:{kind}", "0.1", reserved=True),
        ]
    else:
        assert (wanted["operatingSystem"], wanted["tenancy"]) == ("Linux", "Shared")
        products = [product(f"EUC1-BoxUsage:{kind}", USD[kind])] if kind in USD else []
    return as_answer(*products)


def as_answer(*products: str) -> Answer:
    """Return products as the price list answers them."""
    return 200, json.dumps({"FormatVersion": "aws_v1", "PriceList": products})


def test_the_price_is_told_and_kept(checked: Ops, refuse: Refuse) -> None:
    """Before Terraform begins; `status` shows it with its day, and the list is not asked again."""
    pricing = refuse({"GetProducts": price_list})
    checked.environment["AWS_ENDPOINT_URL_PRICING"] = pricing.url
    said = checked.good(*CREATE, "--db-count", "3").stderr
    told = (
        "It costs about 1.75 USD an hour (3 c7i.xlarge 0.61, 1 c7i.large 0.10, 1 t3.large 0.10, 3 db.r6g.large 0.94); "
        "storage, traffic and public addresses are not counted"
    )
    assert told in said
    assert said.index(told) < said.index("make 5 hosts and a database")
    shown = checked.good("status").stdout
    today = datetime.now(UTC).date()
    assert f"about 1.75 USD an hour (price list of {today}); its instances alone" in shown
    price = checked.status("demo")["price"]
    assert (price["per_hour"], price["currency"], price["unknown"]) == (1.749, "USD", "")
    assert pricing.asked == ["GetProducts"] * 4


def test_a_price_list_that_we_may_not_read(checked: Ops, refuse: Refuse) -> None:
    """One line says so with AWS's word for it, and the cluster is made all the same."""
    denied = json.dumps({"__type": "AccessDeniedException", "Message": "is not authorized to perform: pricing"})
    checked.environment["AWS_ENDPOINT_URL_PRICING"] = refuse({"GetProducts": (400, denied)}).url
    said = checked.good(*CREATE).stderr
    assert "What it costs is not known: AWS's price list refused: GetProducts: AccessDeniedException: " in said
    assert "not known, as asked on" in checked.good("status").stdout
    assert checked.status("demo")["price"]["per_hour"] is None


WANTED = Wanted({"c7i.xlarge": 2}, "r6g.large", 1, "aurora-postgresql", own_network=True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (as_answer(), "AWS's price list has no prices of c7i.xlarge in eu-central-1"),
        (
            as_answer(product("BoxUsage:c7i.xlarge", "0.2"), product("BoxUsage:c7i.xlarge", "0.3")),
            "AWS's price list has 2 prices of c7i.xlarge in eu-central-1",
        ),
        (as_answer("[]"), "in a form that is not known"),
        (as_answer(product("BoxUsage:c7i.xlarge", "cheap")), "in a form that is not known"),
        ((200, "<html>hotel</html>"), "in a form that is not known"),
    ],
)
def test_prices_that_are_not_to_be_had(
    monkeypatch: pytest.MonkeyPatch, refuse: Refuse, answer: Answer, words: str
) -> None:
    """None, several, or something else: it is said which."""
    lead_to(monkeypatch, refuse({"GetProducts": answer}).url)
    with pytest.raises(CloudError, match=words):
        charges(Account("", REGION), WANTED)


def test_a_price_list_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up soon."""
    lead_to(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(CloudError, match="AWS's price list cannot be reached"):
        charges(Account("", REGION), WANTED)


def lead_to(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Lead boto3 in this process to another price list."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_PRICING": url}.items():
        monkeypatch.setenv(name, value)
