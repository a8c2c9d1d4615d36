# What `ltops create -t terraform` gives. Everything has a default but what only the operator can know.

variable "cluster_name" {
  description = "Name of the cluster: part of every resource's name."
  type        = string
  validation {
    condition     = length(var.cluster_name) <= 40 && can(regex("^[a-z]([a-z0-9-]*[a-z0-9])?$", var.cluster_name))
    error_message = "cluster_name is 1 to 40 lower-case letters, digits and hyphens, begins with a letter, ends with no hyphen."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "profile" {
  description = "Profile of the AWS configuration; empty: the default chain of credentials."
  type        = string
  default     = ""
}

variable "owner" {
  description = "Who made the cluster; a tag of every resource."
  type        = string
  default     = "unknown"
}

variable "expires_at" {
  description = "When the cluster is due for deletion (RFC 3339); a tag of every resource. Empty: never."
  type        = string
  default     = ""
  validation {
    condition     = var.expires_at == "" || can(timeadd(var.expires_at, "0s"))
    error_message = "expires_at is a time such as 2026-11-26T18:00:00Z, or empty."
  }
}

variable "allow_cidrs" {
  description = "Addresses that may reach SSH and the proxies: the operator's."
  type        = list(string)
  validation {
    condition     = length(var.allow_cidrs) > 0 && alltrue([for cidr in var.allow_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "allow_cidrs needs at least one IPv4 network such as 203.0.113.7/32; the whole internet (/0) is not let in."
  }
}

variable "ssh_public_key" {
  description = "Public key that opens the instances."
  type        = string
  validation {
    condition     = startswith(var.ssh_public_key, "ssh-ed25519 ")
    error_message = "ssh_public_key is an ed25519 key in OpenSSH's form: ssh-ed25519 AAAA…"
  }
}

variable "app_count" {
  description = "Mattermost servers. 0: none, and neither proxy, database nor bucket: agents against a server that is there."
  type        = number
  default     = 1
  validation {
    condition     = var.app_count >= 0 && floor(var.app_count) == var.app_count
    error_message = "app_count is a whole number, 0 or more."
  }
}

variable "app_type" {
  description = "Instance type of the Mattermost servers (x86-64)."
  type        = string
  default     = "c7i.xlarge"
}

variable "proxy_count" {
  description = "nginx proxies in front of the Mattermost servers."
  type        = number
  default     = 1
  validation {
    condition     = var.proxy_count >= 1 && floor(var.proxy_count) == var.proxy_count
    error_message = "proxy_count is a whole number, 1 or more."
  }
}

variable "proxy_type" {
  description = "Instance type of the proxies (x86-64)."
  type        = string
  default     = "c7i.large"
}

variable "loadtest_count" {
  description = "Agents."
  type        = number
  default     = 1
  validation {
    condition     = var.loadtest_count >= 1 && floor(var.loadtest_count) == var.loadtest_count
    error_message = "loadtest_count is a whole number, 1 or more."
  }
}

variable "loadtest_type" {
  description = "Instance type of the agents (x86-64)."
  type        = string
  default     = "c7i.xlarge"
}

variable "metrics_type" {
  description = "Instance type of the host with Prometheus and Grafana (x86-64)."
  type        = string
  default     = "t3.large"
}

variable "ubuntu_release" {
  description = "The Ubuntu LTS that instances run; its newest image is looked up."
  type        = string
  default     = "24.04"
  validation {
    condition     = can(regex("^[0-9]{2}\\.04$", var.ubuntu_release))
    error_message = "ubuntu_release is an LTS such as 24.04."
  }
}

variable "root_volume_gib" {
  description = "Size of every instance's volume, in GiB."
  type        = number
  default     = 50
  validation {
    condition     = var.root_volume_gib >= 10
    error_message = "root_volume_gib is 10 or more."
  }
}

variable "db_engine" {
  description = "aurora-postgresql, or aurora-mysql for servers before Mattermost 11."
  type        = string
  default     = "aurora-postgresql"
  validation {
    condition     = contains(["aurora-postgresql", "aurora-mysql"], var.db_engine)
    error_message = "db_engine is aurora-postgresql or aurora-mysql."
  }
}

variable "db_engine_version" {
  description = "Version of the database engine; empty: the region's default."
  type        = string
  default     = ""
}

variable "db_count" {
  description = "Database instances: one writer, the rest readers."
  type        = number
  default     = 1
  validation {
    condition     = var.db_count >= 1 && var.db_count <= 16 && floor(var.db_count) == var.db_count
    error_message = "db_count is a whole number, 1 to 16."
  }
}

variable "db_type" {
  description = "Instance type of the database, with or without its leading db."
  type        = string
  default     = "db.r6g.large"
}

variable "db_password" {
  description = "Password of the database's user."
  type        = string
  sensitive   = true
  validation {
    condition     = can(regex("^[A-Za-z0-9]{16,41}$", var.db_password))
    error_message = "db_password is 16 to 41 letters and digits."
  }
}

variable "vpc_id" {
  description = "A network that is there; empty: one is made."
  type        = string
  default     = ""
}

variable "subnet_ids" {
  description = "With vpc_id: its subnets, in at least two zones. Instances are placed in the first."
  type        = list(string)
  default     = []
}

variable "zones" {
  description = "Without vpc_id: two zones of the region, of which instances stand in the first. Empty: the region's first two."
  type        = list(string)
  default     = []
  validation {
    condition     = contains([0, 2], length(var.zones))
    error_message = "zones are two, or none are named."
  }
}
