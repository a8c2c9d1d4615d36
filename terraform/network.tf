# A network of its own by default, or the one that is given.

locals {
  own_network = var.vpc_id == ""
  vpc_id      = local.own_network ? aws_vpc.own[0].id : var.vpc_id
  zones       = length(var.zones) > 0 ? var.zones : data.aws_availability_zones.open.names
  subnet_ids  = local.own_network ? aws_subnet.own[*].id : var.subnet_ids
}

data "aws_availability_zones" "open" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_vpc" "own" {
  count = local.own_network ? 1 : 0

  cidr_block           = "10.77.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.cluster_name }
}

resource "aws_internet_gateway" "own" {
  count = local.own_network ? 1 : 0

  vpc_id = local.vpc_id
  tags   = { Name = var.cluster_name }
}

# The database's subnet group wants two zones; instances all stand in the first, so that no traffic crosses zones.
resource "aws_subnet" "own" {
  count = local.own_network ? 2 : 0

  vpc_id            = local.vpc_id
  cidr_block        = cidrsubnet(aws_vpc.own[0].cidr_block, 8, count.index)
  availability_zone = local.zones[count.index]
  tags              = { Name = "${var.cluster_name}-${count.index}" }
}

resource "aws_route_table" "own" {
  count = local.own_network ? 1 : 0

  vpc_id = local.vpc_id
  tags   = { Name = var.cluster_name }

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.own[0].id
  }
}

resource "aws_route_table_association" "own" {
  count = local.own_network ? 2 : 0

  subnet_id      = aws_subnet.own[count.index].id
  route_table_id = aws_route_table.own[0].id
}

# Hosts of the cluster reach one another; from outside only the operator reaches SSH and the proxies' port 80. Database
# and metrics have no port that is open to anybody outside: they are reached through SSH.

resource "aws_security_group" "cluster" {
  name_prefix = "${local.prefix}-cluster-"
  description = "Traffic between the hosts of the cluster, and out"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "cluster" {
  security_group_id            = aws_security_group.cluster.id
  referenced_security_group_id = aws_security_group.cluster.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.cluster.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_security_group" "ssh" {
  name_prefix = "${local.prefix}-ssh-"
  description = "SSH from the operator"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  for_each = toset(var.allow_cidrs)

  security_group_id = aws_security_group.ssh.id
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

resource "aws_security_group" "site" {
  name_prefix = "${local.prefix}-site-"
  description = "The proxies from the operator"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "site" {
  for_each = toset(var.allow_cidrs)

  security_group_id = aws_security_group.site.id
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_security_group" "database" {
  name_prefix = "${local.prefix}-database-"
  description = "The database from the hosts of the cluster"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.cluster.id
  ip_protocol                  = "tcp"
  from_port                    = local.db_port
  to_port                      = local.db_port
}
