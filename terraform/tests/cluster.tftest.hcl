# What the module would make, with a provider that makes nothing: `terraform test`.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b"] }
  }
  mock_data "aws_ami" {
    defaults = { id = "ami-0123456789abcdef0" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::files" }
  }
}

variables {
  cluster_name   = "trial"
  region         = "eu-central-1"
  owner          = "somebody"
  allow_cidrs    = ["203.0.113.7/32"]
  ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLE trial"
  db_password    = "abcdefghijklmnop1234"
}

run "counts_and_names" {
  command = plan
  variables {
    app_count      = 2
    proxy_count    = 2
    loadtest_count = 3
    db_count       = 2
  }
  assert {
    condition = toset(keys(aws_instance.this)) == toset([
      "app-0", "app-1", "proxy-0", "proxy-1", "loadtest-0", "loadtest-1", "loadtest-2", "metrics-0",
    ])
    error_message = "One instance for each that was asked for, and one for metrics."
  }
  assert {
    condition     = length(aws_rds_cluster_instance.this) == 2
    error_message = "As many database instances as asked for."
  }
  assert {
    condition     = aws_instance.this["loadtest-2"].tags["Name"] == "trial-loadtest-2"
    error_message = "An instance's name holds the cluster's and its own."
  }
  assert {
    condition     = aws_instance.this["app-1"].instance_type == "c7i.xlarge" && aws_instance.this["metrics-0"].instance_type == "t3.large"
    error_message = "Each role has its type."
  }
}

run "agents_alone" {
  command = plan
  variables {
    app_count = 0
  }
  assert {
    condition     = toset(keys(aws_instance.this)) == toset(["loadtest-0", "metrics-0"])
    error_message = "Without Mattermost there is no proxy either."
  }
  assert {
    condition     = length(aws_rds_cluster.this) + length(aws_s3_bucket.files) + length(aws_iam_role.app) == 0
    error_message = "Without Mattermost there is neither database, bucket nor role."
  }
  assert {
    condition     = output.database == null && output.bucket == null
    error_message = "What is not there is null in the outputs."
  }
}

run "closed_to_the_world" {
  command = plan
  variables {
    allow_cidrs = ["203.0.113.7/32", "198.51.100.0/24"]
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.ssh : rule.cidr_ipv4]) == toset(var.allow_cidrs)
    error_message = "SSH is open to the operator only."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.site : rule.from_port == 80 && contains(var.allow_cidrs, rule.cidr_ipv4)])
    error_message = "The site is open to the operator only."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.database.cidr_ipv4 == null && aws_vpc_security_group_ingress_rule.cluster.cidr_ipv4 == null
    error_message = "Database and hosts are open to the cluster's own groups only."
  }
  assert {
    condition     = aws_rds_cluster_instance.this[0].publicly_accessible == false
    error_message = "The database has no public address."
  }
}

run "encrypted_and_guarded" {
  command = plan
  assert {
    condition     = alltrue([for instance in aws_instance.this : instance.root_block_device[0].encrypted])
    error_message = "Volumes are encrypted."
  }
  assert {
    condition     = alltrue([for instance in aws_instance.this : instance.metadata_options[0].http_tokens == "required"])
    error_message = "Only IMDSv2 is answered."
  }
  assert {
    condition     = aws_rds_cluster.this[0].storage_encrypted
    error_message = "The database is encrypted."
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.files[0].restrict_public_buckets && aws_s3_bucket_public_access_block.files[0].block_public_policy
    error_message = "The bucket is never public."
  }
}

run "tags" {
  command = plan
  variables {
    expires_at = "2026-11-26T18:00:00Z"
  }
  assert {
    condition = tomap(local.tags) == tomap({
      "mattermost-load-test/cluster"    = "trial"
      "mattermost-load-test/owner"      = "somebody"
      "mattermost-load-test/expires-at" = "2026-11-26T18:00:00Z"
    })
    error_message = "Every resource is tagged with cluster, owner and expiry."
  }
  assert {
    condition     = aws_instance.this["app-0"].volume_tags["mattermost-load-test/cluster"] == "trial"
    error_message = "Volumes have them, too."
  }
}

run "mysql" {
  command = plan
  variables {
    db_engine = "aurora-mysql"
    db_type   = "r6g.large"
  }
  assert {
    condition     = aws_rds_cluster.this[0].port == 3306 && aws_vpc_security_group_ingress_rule.database.from_port == 3306
    error_message = "MySQL has its own port."
  }
  assert {
    condition     = aws_rds_cluster_instance.this[0].instance_class == "db.r6g.large"
    error_message = "A type without db. gets it."
  }
}

run "a_network_that_is_there" {
  command = plan
  variables {
    vpc_id     = "vpc-1"
    subnet_ids = ["subnet-1", "subnet-2"]
  }
  assert {
    condition     = length(aws_vpc.own) + length(aws_subnet.own) + length(aws_internet_gateway.own) == 0
    error_message = "No network is made beside the one that is given."
  }
  assert {
    condition     = alltrue([for instance in aws_instance.this : instance.subnet_id == "subnet-1"])
    error_message = "Instances stand in the first subnet."
  }
}

run "names_that_aws_takes" {
  command = plan
  variables {
    cluster_name = "trial--of-twenty-three--and-more-letters"
  }
  assert {
    condition     = local.prefix == "trial-of-twenty-three-an"
    error_message = "Names are short and without two hyphens in a row."
  }
}

run "zones_that_are_named" {
  command = plan
  variables {
    zones = ["eu-central-1c", "eu-central-1a"]
  }
  assert {
    condition     = aws_subnet.own[0].availability_zone == "eu-central-1c" && aws_subnet.own[1].availability_zone == "eu-central-1a"
    error_message = "Instances stand in the first zone."
  }
}

run "one_subnet_is_too_few" {
  command = plan
  variables {
    vpc_id     = "vpc-1"
    subnet_ids = ["subnet-1"]
  }
  expect_failures = [aws_db_subnet_group.this]
}

run "bad_input" {
  command = plan
  variables {
    cluster_name   = "Trial_1"
    allow_cidrs    = ["0.0.0.0/0"]
    ssh_public_key = "ssh-rsa AAAA"
    app_count      = -1
    db_password    = "short"
    db_engine      = "oracle"
    expires_at     = "tomorrow"
  }
  expect_failures = [
    var.cluster_name, var.allow_cidrs, var.ssh_public_key, var.app_count, var.db_password, var.db_engine, var.expires_at,
  ]
}
