terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 7.0"
    }
  }
}

provider "aws" {
  region  = var.region
  profile = var.profile == "" ? null : var.profile
  # Where AWS has no such machine free, the provider's own 25 tries were seen to take more than 40 minutes.
  max_retries = 5
  default_tags {
    tags = local.tags
  }
}
