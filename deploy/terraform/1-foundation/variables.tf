variable "name" {
  description = "Begins the name of everything that is made, and is the prefix of the tables."
  type        = string
  default     = "interlayer"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name: 3 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "AWS region of everything."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: such as eu-central-1."
  }
}

variable "organization" {
  description = "The organization that the service keeps memory for (INTERLAYER_ORG). Roles reach its partitions only."
  type        = string
  default     = "default"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$", var.organization))
    error_message = "organization: up to 64 letters, digits and . _ @ -, beginning with a letter or digit."
  }
}

variable "log_days" {
  description = "How many days the trail of API calls and the logs of the load balancer are kept."
  type        = number
  default     = 400

  validation {
    condition     = var.log_days >= 180 && var.log_days <= 3650
    error_message = "log_days: 180 to 3650. What an AI system was told has to be traceable for six months at least."
  }
}

variable "support" {
  description = "A role for somebody outside, off by default: reads settings and metrics, no data; until: RFC 3339, at most 90 days ahead."
  type = object({
    account_id  = string
    external_id = string
    until       = string
  })
  default = null

  validation {
    condition     = var.support == null || can(regex("^[0-9]{12}$", var.support.account_id))
    error_message = "support.account_id: twelve digits."
  }
  validation {
    condition     = var.support == null || can(regex("^[A-Za-z0-9+=,.@:/_-]{16,128}$", var.support.external_id))
    error_message = "support.external_id: 16 to 128 characters that nobody can guess."
  }
  validation {
    condition     = var.support == null || can(formatdate("YYYY", var.support.until))
    error_message = "support.until: an instant such as 2027-01-31T18:00:00Z."
  }
  validation {
    condition     = try(timecmp(var.support.until, timeadd(plantimestamp(), "2160h")) <= 0, true)
    error_message = "support.until: 90 days from now at most. Set a later instant when it nears, if they are still needed."
  }
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
