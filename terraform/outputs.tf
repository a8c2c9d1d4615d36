# The contract with ltops (docs/terraform.md): names, shapes and meanings stay.

output "instances" {
  description = "Every host by name: its role, how it is reached from outside and from inside, and its id."
  value = {
    for name, instance in aws_instance.this : name => {
      role            = local.instances[name].role
      address         = instance.public_ip
      private_address = instance.private_ip
      id              = instance.id
    }
  }
}

output "ssh_user" {
  description = "The account that SSH opens on every host; it may use sudo."
  value       = local.ssh_user
}

output "database" {
  description = "How the hosts reach the database; null without Mattermost servers. The password is what was given."
  value = local.with_servers ? {
    driver         = local.postgres ? "postgres" : "mysql"
    address        = aws_rds_cluster.this[0].endpoint
    reader_address = aws_rds_cluster.this[0].reader_endpoint
    readers        = var.db_count - 1
    port           = local.db_port
    name           = local.db_name
    user           = local.db_user
  } : null
}

output "bucket" {
  description = "Where Mattermost keeps its files, by the role of its hosts; null without Mattermost servers."
  value       = local.with_servers ? { name = aws_s3_bucket.files[0].bucket, region = var.region } : null
}
