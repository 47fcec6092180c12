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

run "protected_by_default" {
  command = plan
  assert {
    condition     = length(aws_dynamodb_table.this) == 3 && alltrue([for table in aws_dynamodb_table.this : table.deletion_protection_enabled])
    error_message = "three tables, all protected"
  }
  assert {
    condition     = !aws_s3_bucket.vectors.force_destroy
    error_message = "the bucket is emptied without being told"
  }
}

run "torn_down_when_told" {
  command = plan
  variables {
    deletion_protection = false
  }
  assert {
    condition     = !anytrue([for table in aws_dynamodb_table.this : table.deletion_protection_enabled])
    error_message = "protection stays on although told"
  }
}

run "no_endless_versions" {
  command = plan
  variables {
    noncurrent_days = 0
  }
  expect_failures = [var.noncurrent_days]
}
