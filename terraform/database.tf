resource "aws_db_subnet_group" "this" {
  count = local.with_servers ? 1 : 0

  name_prefix = "${local.prefix}-"
  subnet_ids  = local.subnet_ids

  lifecycle {
    precondition {
      condition     = length(local.subnet_ids) >= 2
      error_message = "The database wants subnets in two zones: give at least two subnet_ids with vpc_id."
    }
  }
}

resource "aws_rds_cluster" "this" {
  count = local.with_servers ? 1 : 0

  cluster_identifier_prefix = "${local.prefix}-"
  engine                    = var.db_engine
  engine_version            = var.db_engine_version == "" ? null : var.db_engine_version
  database_name             = local.db_name
  master_username           = local.db_user
  master_password           = var.db_password
  port                      = local.db_port
  db_subnet_group_name      = aws_db_subnet_group.this[0].name
  vpc_security_group_ids    = [aws_security_group.database.id]
  storage_encrypted         = true
  skip_final_snapshot       = true # what a load test filled in is made again
  apply_immediately         = true
}

resource "aws_rds_cluster_instance" "this" {
  count = local.with_servers ? var.db_count : 0

  identifier_prefix    = "${local.prefix}-${count.index}-"
  cluster_identifier   = aws_rds_cluster.this[0].id
  engine               = aws_rds_cluster.this[0].engine
  instance_class       = startswith(var.db_type, "db.") ? var.db_type : "db.${var.db_type}"
  db_subnet_group_name = aws_db_subnet_group.this[0].name
  publicly_accessible  = false
  apply_immediately    = true
}
