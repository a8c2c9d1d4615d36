"""The two modules that `ltops` is tried with take the same variables and give the same outputs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
OF_AWS = ROOT / "terraform"
STAND_IN = ROOT / "tests" / "hosts" / "module"
ITS_OWN = {"stand_ins"}
"""What the stand-in takes beside: the addresses of its hosts."""


def blocks(module: Path, kind: str) -> dict[str, str]:
    """Return the blocks of a kind in a module's files, by name; the files are as `terraform fmt` leaves them."""
    text = "\n".join(path.read_text() for path in sorted(module.glob("*.tf")))
    return dict(re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', text, re.M | re.S))


def keys(block: str, indent: int) -> set[str]:
    """Return the names that a value has, by their indent."""
    return set(re.findall(rf"^ {{{indent}}}(\w+) +=", block, re.M))


def test_variables_are_the_same() -> None:
    """Names, types, defaults and conditions."""
    of_aws, stand_in = blocks(OF_AWS, "variable"), blocks(STAND_IN, "variable")
    assert len(of_aws) > 15
    assert {name: block for name, block in stand_in.items() if name not in ITS_OWN} == of_aws


def test_outputs_are_the_same() -> None:
    """Names, and what is in each."""
    of_aws, stand_in = blocks(OF_AWS, "output"), blocks(STAND_IN, "output")
    assert set(of_aws) == set(stand_in) == {"instances", "ssh_user", "database", "bucket"}
    database = {"driver", "address", "reader_address", "readers", "port", "name", "user"}
    assert keys(of_aws["database"], 4) == keys(stand_in["database"], 4) == database
    instance = re.search(r"^  input = \{\n(.*?)^  \}", (STAND_IN / "main.tf").read_text(), re.M | re.S)
    assert instance is not None
    assert keys(of_aws["instances"], 6) == keys(instance[1], 4) == {"role", "address", "private_address", "id"}


def test_the_options_have_the_defaults_of_the_module() -> None:
    """What `ltops create` says nothing of is what the module would take."""
    from mattermost_load_test.ltops.providers.terraform_aws.options import TerraformOptions

    options = TerraformOptions.of({}).model_dump()
    compared = 0
    for name, block in blocks(OF_AWS, "variable").items():
        default = re.search(r"^  default += (?:\"(.*)\"|(\d+))$", block, re.M)
        if name in options and default is not None and name != "owner":
            assert str(options[name]) == (default[1] or default[2] or ""), name
            compared += 1
    assert compared >= 10
