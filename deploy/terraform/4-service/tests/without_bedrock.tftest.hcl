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
      endpoints                 = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
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


run "no_bedrock_without_endpoint" {
  command = plan
  variables {
    model = "bedrock/anthropic.claude-sonnet-4-5"
  }
  expect_failures = [var.model]
}
