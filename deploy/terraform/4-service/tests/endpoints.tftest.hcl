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
      posture                   = "endpoints"
      vpc_id                    = "vpc-1"
      cidr                      = "10.42.0.0/16"
      task_subnet_ids           = ["subnet-1", "subnet-2"]
      public_subnet_ids         = []
      service_security_group_id = "sg-1"
      endpoints                 = ["bedrock-runtime", "ecr.api", "ecr.dkr", "logs", "secretsmanager"]
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

run "bedrock_by_endpoint" {
  command = plan
  variables {
    model = "bedrock/eu.anthropic.claude-sonnet-4-5"
  }
  assert {
    condition     = anytrue([for statement in local.task_policy.Statement : statement.Sid == "Model"])
    error_message = "the task may not call its model"
  }
}

run "a_profile_of_any_geography_beside_a_model_of_the_region" {
  command = plan
  variables {
    model    = "bedrock/au.anthropic.claude-sonnet-4-5,bedrock/amazon.nova-lite-v1:0"
    settings = { MODEL_DAILY_COST = "5" }
  }
  assert {
    condition = one([for statement in local.task_policy.Statement : statement.Resource if statement.Sid == "Model"]) == [
      "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0",
      "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/au.anthropic.claude-sonnet-4-5",
      "arn:aws:bedrock:*::foundation-model/anthropic.claude-sonnet-4-5",
    ]
    error_message = "the task may call other models than its own"
  }
  assert {
    condition     = local.environment["INTERLAYER_MODEL_DAILY_COST"] == "5"
    error_message = "a setting got lost"
  }
}

run "no_fallback_outside" {
  command = plan
  variables {
    model   = "bedrock/amazon.nova-lite-v1:0,openai/gpt-5-mini"
    secrets = { OPENAI_API_KEY = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:openai-AbCdEf" }
  }
  expect_failures = [var.model]
}

run "no_setting_that_another_input_makes" {
  command = plan
  variables {
    settings = { AUTH = "none" }
  }
  expect_failures = [var.settings]
}

run "no_identity_provider_out_of_reach" {
  command = plan
  variables {
    auth = { mode = "jwt", issuer = "https://id.acme.example", audience = "interlayer", jwks = "https://id.acme.example/keys" }
  }
  expect_failures = [var.auth]
}

run "vllm_in_the_network" {
  command = plan
  variables {
    model          = "hosted_vllm/qwen3"
    model_api_base = "http://10.42.8.20:8000/v1"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.model[0].from_port == 8000
    error_message = "the task cannot reach its model"
  }
}

run "no_way_out_for_openai" {
  command = plan
  variables {
    model   = "openai/gpt-5-mini"
    secrets = { OPENAI_API_KEY = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:openai-AbCdEf" }
  }
  expect_failures = [var.model]
}

run "no_public_balancer_without_public_subnets" {
  command = plan
  variables {
    balancer = { certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/c", public = true, callers = ["203.0.113.0/24"] }
  }
  expect_failures = [var.balancer]
}
