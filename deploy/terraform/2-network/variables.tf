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

variable "posture" {
  description = "How tasks reach AWS and model providers: public addresses, a NAT gateway, or endpoints alone."
  type        = string
  default     = "public"

  validation {
    condition     = contains(["public", "nat", "endpoints"], var.posture)
    error_message = "posture: public, nat or endpoints."
  }
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
  default     = "10.42.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr: an IPv4 range of /16 to /20, such as 10.42.0.0/16."
  }
}

variable "zones" {
  description = "In how many availability zones; a load balancer needs two. Endpoints are paid for in each."
  type        = number
  default     = 2

  validation {
    condition     = contains([1, 2, 3], var.zones)
    error_message = "zones: 1, 2 or 3."
  }
}

variable "bedrock" {
  description = "With posture endpoints: whether models of Bedrock are called, which takes an endpoint of its own."
  type        = bool
  default     = true
}
