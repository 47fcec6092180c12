variable "state" {
  description = "Where the phases keep their states: the backend, and its settings without path or key."
  type = object({
    backend = string
    config  = map(string)
  })
  default = {
    backend = "local"
    config  = {}
  }

  validation {
    condition     = contains(["local", "s3"], var.state.backend)
    error_message = "state.backend: local or s3."
  }
}

variable "deletion_protection" {
  description = "Keeps tables from deletion and a bucket that holds anything from being emptied. Off only to tear down."
  type        = bool
  default     = true
}

variable "noncurrent_days" {
  description = "How many days overwritten and deleted vectors can be brought back."
  type        = number
  default     = 7

  validation {
    condition     = var.noncurrent_days >= 1 && var.noncurrent_days <= 365
    error_message = "noncurrent_days: 1 to 365."
  }
}
