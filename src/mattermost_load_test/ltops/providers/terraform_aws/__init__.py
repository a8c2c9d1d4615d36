"""AWS clusters: hosts, database and file store made by Terraform, everything on the hosts done over SSH."""

from mattermost_load_test.ltops.providers.terraform_aws.provider import TerraformProvider

__all__ = ["TerraformProvider"]
