# The contract of ../../../terraform without a cloud: nothing is made, hosts are what TF_VAR_stand_ins says.
# tests/ltops/terraform/test_contract.py holds variables and outputs equal.

variable "stand_ins" {
  description = "Not of the contract: addresses of hosts by name (app-0), and the database they reach; else invented ones."
  type = object({
    addresses = optional(map(string), {})
    ssh_user  = optional(string, "ubuntu")
    database  = optional(object({ address = string, port = number }), { address = "192.0.2.250", port = 5432 })
  })
  default = {}
}

locals {
  with_servers = var.app_count > 0
  roles = merge(
    { for n in range(var.app_count) : "app-${n}" => "app" },
    { for n in range(local.with_servers ? var.proxy_count : 0) : "proxy-${n}" => "proxy" },
    { for n in range(var.loadtest_count) : "loadtest-${n}" => "loadtest" },
    { "metrics-0" = "metrics" },
  )
  names = sort(keys(local.roles))
}

resource "terraform_data" "instance" {
  for_each = local.roles

  input = {
    role            = each.value
    address         = lookup(var.stand_ins.addresses, each.key, "192.0.2.${index(local.names, each.key) + 1}")
    private_address = lookup(var.stand_ins.addresses, each.key, "192.0.2.${index(local.names, each.key) + 1}")
    id              = "stand-in-${each.key}"
  }
}

resource "terraform_data" "let_in" {
  for_each = toset(var.allow_cidrs)

  input = each.value
}

output "instances" {
  value = { for name, instance in terraform_data.instance : name => instance.output }
}

output "ssh_user" {
  value = var.stand_ins.ssh_user
}

output "database" {
  value = local.with_servers ? {
    driver         = var.db_engine == "aurora-postgresql" ? "postgres" : "mysql"
    address        = var.stand_ins.database.address
    reader_address = var.stand_ins.database.address
    readers        = var.db_count - 1
    port           = var.stand_ins.database.port
    name           = "mattermost"
    user           = "mmuser"
  } : null
}

output "bucket" {
  value = null
}
