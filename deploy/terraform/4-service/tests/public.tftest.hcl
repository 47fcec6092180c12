mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", reverse_dns_prefix = "com.amazonaws" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
}

override_data {
  target = data.terraform_remote_state.foundation
  values = {
    outputs = {
      name         = "interlayer"
      region       = "eu-central-1"
      organization = "acme"
      tags         = {}
      key_arn      = "arn:aws:kms:eu-central-1:111122223333:key/k"
      bucket       = "interlayer-vectors-111122223333-eu-central-1"
      logs_bucket  = "interlayer-logs-111122223333-eu-central-1"
      boundary_arn = "arn:aws:iam::111122223333:policy/interlayer-boundary"
    }
  }
}


override_data {
  target = data.terraform_remote_state.network
  values = {
    outputs = {
      posture                   = "public"
      vpc_id                    = "vpc-1"
      cidr                      = "10.42.0.0/16"
      task_subnet_ids           = ["subnet-1", "subnet-2"]
      public_subnet_ids         = ["subnet-1", "subnet-2"]
      service_security_group_id = "sg-1"
      endpoints                 = []
    }
  }
}

override_data {
  target = data.terraform_remote_state.data
  values = {
    outputs = {
      tables = {
        memory     = { arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/interlayer-memory", name = "interlayer-memory", service_may = ["dynamodb:GetItem"] }
        governance = { arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/interlayer-governance", name = "interlayer-governance", service_may = ["dynamodb:GetItem"] }
        audit      = { arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/interlayer-audit", name = "interlayer-audit", service_may = ["dynamodb:GetItem"] }
      }
      stream_arn     = "arn:aws:dynamodb:eu-central-1:111122223333:table/interlayer-memory/stream/1"
      bucket_arn     = "arn:aws:s3:::interlayer-vectors"
      vectors_prefix = "vectors"
      environment    = { INTERLAYER_ORG = "acme" }
    }
  }
}

run "openai_over_public_addresses" {
  command = plan
  variables {
    model   = "openai/gpt-5-mini"
    secrets = { OPENAI_API_KEY = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:openai-AbCdEf" }
  }
  assert {
    condition     = !contains([for statement in local.task_policy.Statement : statement.Sid], "Model")
    error_message = "a model outside of AWS needs no right of AWS"
  }
}

run "no_model_without_key" {
  command = plan
  variables {
    model = "anthropic/claude-sonnet-4-5"
  }
  expect_failures = [var.model]
}

run "no_unhosted_model" {
  command = plan
  variables {
    model = "hosted_vllm/qwen3"
  }
  expect_failures = [var.model]
}

run "no_impossible_task" {
  command = plan
  variables {
    cpu    = 512
    memory = 512
  }
  expect_failures = [var.memory]
}

run "no_odd_cpu" {
  command = plan
  variables {
    cpu    = 300
    memory = 1024
  }
  expect_failures = [var.cpu]
}

run "no_more_least_than_most" {
  command = plan
  variables {
    tasks = { least = 3, most = 2 }
  }
  expect_failures = [var.tasks]
}

run "no_odd_retention" {
  command = plan
  variables {
    log_days = 33
  }
  expect_failures = [var.log_days]
}

run "no_open_server" {
  command = plan
  variables {
    auth = { mode = "none" }
  }
  expect_failures = [var.auth]
}

run "no_jwt_without_issuer" {
  command = plan
  variables {
    auth = { mode = "jwt" }
  }
  expect_failures = [var.auth]
}

run "no_secret_in_the_clear" {
  command = plan
  variables {
    secrets = { OPENAI_API_KEY = "sk-123" }
  }
  expect_failures = [var.secrets]
}

run "no_clear_text" {
  command = plan
  variables {
    balancer = { certificate_arn = "none", callers = ["10.0.0.0/8"] }
  }
  expect_failures = [var.balancer]
}

run "no_deployer_by_wildcard" {
  command = plan
  variables {
    deployers = ["arn:aws:iam::111122223333:role/*"]
  }
  expect_failures = [var.deployers]
}
