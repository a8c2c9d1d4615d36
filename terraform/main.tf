# A cluster for load tests: agents and metrics always; Mattermost, proxies, database and file store unless app_count is 0.

locals {
  tags = merge(
    {
      "mattermost-load-test/cluster" = var.cluster_name
      "mattermost-load-test/owner"   = var.owner
    },
    var.expires_at == "" ? {} : { "mattermost-load-test/expires-at" = var.expires_at },
  )
  # Names that AWS limits begin with it; it leaves room for what AWS appends. RDS takes no two hyphens in a row.
  prefix       = trimsuffix(substr(replace(var.cluster_name, "/-+/", "-"), 0, 24), "-")
  with_servers = var.app_count > 0
  postgres     = var.db_engine == "aurora-postgresql"
  db_port      = local.postgres ? 5432 : 3306
  db_name      = "mattermost"
  db_user      = "mmuser"
  ssh_user     = "ubuntu"
  # name => what is made of it; the names are the instances' names in `ltops status`.
  instances = merge(
    { for n in range(var.app_count) : "app-${n}" => { role = "app", type = var.app_type } },
    { for n in range(local.with_servers ? var.proxy_count : 0) : "proxy-${n}" => { role = "proxy", type = var.proxy_type } },
    { for n in range(var.loadtest_count) : "loadtest-${n}" => { role = "loadtest", type = var.loadtest_type } },
    { "metrics-0" = { role = "metrics", type = var.metrics_type } },
  )
}

data "aws_ami" "ubuntu" {
  most_recent = true
  owners      = ["099720109477"] # Canonical
  filter {
    name   = "name"
    values = ["ubuntu/images/hvm-ssd*/ubuntu-*-${var.ubuntu_release}-amd64-server-*"]
  }
  filter {
    name   = "virtualization-type"
    values = ["hvm"]
  }
}

resource "aws_key_pair" "operator" {
  key_name_prefix = "${local.prefix}-"
  public_key      = var.ssh_public_key
}

resource "aws_instance" "this" {
  for_each = local.instances

  ami                         = data.aws_ami.ubuntu.id
  instance_type               = each.value.type
  key_name                    = aws_key_pair.operator.key_name
  subnet_id                   = local.subnet_ids[0]
  associate_public_ip_address = true
  iam_instance_profile        = each.value.role == "app" ? aws_iam_instance_profile.app[0].name : null
  vpc_security_group_ids = concat(
    [aws_security_group.cluster.id, aws_security_group.ssh.id],
    each.value.role == "proxy" ? [aws_security_group.site.id] : [],
  )
  tags        = { Name = "${var.cluster_name}-${each.key}", "mattermost-load-test/role" = each.value.role }
  volume_tags = merge(local.tags, { Name = "${var.cluster_name}-${each.key}" })

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required" # IMDSv2 only
  }

  root_block_device {
    encrypted             = true
    volume_type           = "gp3"
    volume_size           = var.root_volume_gib
    delete_on_termination = true
  }

  lifecycle {
    ignore_changes = [ami] # a newer image is no reason to replace a host that runs
  }
}
