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
  default_tags {
    tags = local.tags
  }
}
