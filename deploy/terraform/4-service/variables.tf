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

variable "image" {
  description = "The image; default: image_tag in the repository that is made here."
  type        = string
  default     = null
}

variable "image_tag" {
  description = "Tag of the image in the repository that is made here; a tag is pushed once and never moved."
  type        = string
  default     = "0.1.0"
}

variable "architecture" {
  description = "ARM64 or X86_64; the image has to be built for it."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture: ARM64 or X86_64."
  }
}

variable "cpu" {
  description = "CPU units of a task; 1024 are one CPU."
  type        = number
  default     = 512

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "cpu: 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  description = "MiB of memory of a task; Fargate allows some amounts for each cpu."
  type        = number
  default     = 1024

  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
  validation {
    condition = contains(lookup({
      "256"  = [512, 1024, 2048]
      "512"  = range(1024, 4097, 1024)
      "1024" = range(2048, 8193, 1024)
      "2048" = range(4096, 16385, 1024)
      "4096" = range(8192, 30721, 1024)
    }, tostring(var.cpu), []), var.memory)
    error_message = "memory: Fargate does not offer this amount with this cpu; 512 goes with 1024 to 4096 in steps of 1024."
  }
}

variable "tasks" {
  description = "Least and most tasks. Two survive the loss of a zone."
  type = object({
    least = number
    most  = number
  })
  default = {
    least = 1
    most  = 4
  }

  validation {
    condition     = var.tasks.least >= 0 && var.tasks.most >= max(1, var.tasks.least) && var.tasks.most <= 50
    error_message = "tasks: 0 <= least <= most <= 50, and most at least 1."
  }
}

variable "model" {
  description = "Extraction model as litellm names it, and with commas those that are asked when it does not answer; none: agents pass facts themselves."
  type        = string
  default     = "none"

  validation {
    condition     = can(regex("^(none|[a-z_]+/[A-Za-z0-9][A-Za-z0-9._:/-]*(,[a-z_]+/[A-Za-z0-9][A-Za-z0-9._:/-]*)*)$", var.model))
    error_message = "model: none, or provider/model such as bedrock/anthropic.claude-sonnet-4-5, openai/gpt-5-mini, hosted_vllm/qwen3; several with commas and no blanks."
  }
  validation {
    condition     = !contains([for one in split(",", var.model) : split("/", one)[0]], "bedrock") || local.egress || local.bedrock_endpoint
    error_message = "model: Bedrock cannot be reached. Set bedrock = true in 2-network, or posture public or nat."
  }
  validation {
    condition     = !contains([for one in split(",", var.model) : split("/", one)[0]], "hosted_vllm") || var.model_api_base != null
    error_message = "model: a model in your own network needs model_api_base, such as http://10.42.8.20:8000/v1."
  }
  validation {
    condition     = length(setsubtract([for one in split(",", var.model) : split("/", one)[0]], ["none", "bedrock", "hosted_vllm"])) == 0 || local.egress
    error_message = "model: a provider is outside of AWS and posture endpoints lets nothing out. Use public or nat in 2-network, Bedrock, or a model in your network."
  }
  validation {
    condition     = length(setsubtract([for one in split(",", var.model) : split("/", one)[0]], ["none", "bedrock", "hosted_vllm"])) == 0 || length(var.secrets) > 0
    error_message = "model: a provider wants a key. Put it into Secrets Manager and name it in secrets."
  }
  validation {
    condition     = var.model_api_base == null || length(distinct([for one in split(",", var.model) : split("/", one)[0]])) == 1
    error_message = "model: model_api_base goes to every model that is asked, so all of them have to be of one provider."
  }
}

variable "settings" {
  description = "Further settings of the server, named without INTERLAYER_: budgets, patience and rate of models, how long receipts are kept."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setsubtract(keys(var.settings), [
      "MODEL_TIMEOUT", "MODEL_RETRIES", "MODEL_RATE", "MODEL_PASSAGE", "MODEL_OUTPUT_TOKENS", "MODEL_DAILY_TOKENS",
      "MODEL_DAILY_COST", "RECEIPT_DAYS", "STALE_SECONDS", "TIME_ZONE", "LOG_LEVEL",
    ])) == 0
    error_message = "settings: MODEL_TIMEOUT, MODEL_RETRIES, MODEL_RATE, MODEL_PASSAGE, MODEL_OUTPUT_TOKENS, MODEL_DAILY_TOKENS, MODEL_DAILY_COST, RECEIPT_DAYS, STALE_SECONDS, TIME_ZONE, LOG_LEVEL; the rest has inputs of its own, and keys go into secrets."
  }
}

variable "model_api_base" {
  description = "Address of a model in your own network."
  type        = string
  default     = null

  validation {
    condition     = var.model_api_base == null || can(regex("^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^ ]*)?$", var.model_api_base))
    error_message = "model_api_base: http://HOST:PORT/v1."
  }
}

variable "secrets" {
  description = "Keys of providers by reference: name of the environment variable to ARN in Secrets Manager."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for name, arn in var.secrets : can(regex("^[A-Z][A-Z0-9_]*$", name)) && can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*?]+$", arn))
    ])
    error_message = "secrets: such as {OPENAI_API_KEY = \"arn:aws:secretsmanager:...:secret:openai-AbCdEf\"}; whole ARNs, no wildcard."
  }
}

variable "auth" {
  description = "How callers prove who they are: API keys of Interlayer, or tokens of your identity provider (jwt; private: its keys lie in your network)."
  type = object({
    mode     = optional(string, "keys")
    issuer   = optional(string)
    audience = optional(string)
    jwks     = optional(string)
    private  = optional(bool, false)
  })
  default = {}

  validation {
    condition     = contains(["keys", "jwt"], var.auth.mode)
    error_message = "auth.mode: keys or jwt. A server that anybody may call does not start beyond loopback."
  }
  validation {
    condition     = var.auth.mode != "jwt" || alltrue([for value in [var.auth.issuer, var.auth.audience, var.auth.jwks] : value != null])
    error_message = "auth: jwt takes issuer, audience and jwks."
  }
  validation {
    condition     = var.auth.mode != "jwt" || local.egress || var.auth.private
    error_message = "auth: posture endpoints lets nothing out, so the keys at jwks cannot be read. Use public or nat in 2-network, or set private = true if that address is in your network."
  }
}

variable "balancer" {
  description = "A load balancer with TLS; null: tasks are called on port 8000 from within the network."
  type = object({
    certificate_arn = string
    public          = optional(bool, false)
    callers         = list(string)
  })
  default = null

  validation {
    condition     = var.balancer == null || can(regex("^arn:[a-z-]+:acm:", var.balancer.certificate_arn))
    error_message = "balancer.certificate_arn: a certificate of ACM. Keys and memory do not travel in the clear."
  }
  validation {
    condition     = var.balancer == null || length(try(var.balancer.public, false) ? local.network.public_subnet_ids : local.network.task_subnet_ids) >= 2
    error_message = "balancer: it takes two subnets; a public one takes posture public or nat. Set zones = 2 in 2-network."
  }
  validation {
    condition     = var.balancer == null || (length(try(var.balancer.callers, [])) > 0 && alltrue([for range in try(var.balancer.callers, []) : can(cidrhost(range, 0))]))
    error_message = "balancer.callers: IPv4 ranges that may call, at least one, such as 203.0.113.0/24."
  }
}

variable "indexer" {
  description = "A Lambda function that indexes what dead servers left behind, and optimizes the vectors at night."
  type        = bool
  default     = true
}

variable "deployers" {
  description = "ARNs of roles that may assume the role that rolls out images; none: no such role."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.deployers : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[^*]+$", arn))])
    error_message = "deployers: whole ARNs of roles or users."
  }
}

variable "log_days" {
  description = "How many days logs of the service are kept; CloudWatch takes certain numbers only."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days: CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}

variable "alarm_email" {
  description = "Who is told of alarms; null: nobody is, they only show."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@ ]+@[^@ ]+$", var.alarm_email))
    error_message = "alarm_email: an address."
  }
}
