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

variables {
  region = "eu-central-1"
}

run "nobody_outside_by_default" {
  command = plan
  assert {
    condition     = length(aws_iam_role.support) == 0
    error_message = "a role for somebody outside exists without being asked for"
  }
}

run "support_ends" {
  command = plan
  variables {
    support = { account_id = "999988887777", external_id = "k3-9fj2-x81m-0pq7", until = timeadd(timestamp(), "720h") }
  }
  assert {
    condition     = local.support_trust.Statement[0].Condition.DateLessThan["aws:CurrentTime"] == var.support.until
    error_message = "support has no end"
  }
}

run "no_wild_name" {
  command = plan
  variables {
    name = "Interlayer_1"
  }
  expect_failures = [var.name]
}

run "no_short_trail" {
  command = plan
  variables {
    log_days = 90
  }
  expect_failures = [var.log_days]
}

run "no_guessable_external_id" {
  command = plan
  variables {
    support = { account_id = "999988887777", external_id = "1234", until = timeadd(timestamp(), "720h") }
  }
  expect_failures = [var.support]
}

run "no_support_without_end" {
  command = plan
  variables {
    support = { account_id = "999988887777", external_id = "k3-9fj2-x81m-0pq7", until = "soon" }
  }
  expect_failures = [var.support]
}

run "no_support_for_years" {
  command = plan
  variables {
    support = { account_id = "999988887777", external_id = "k3-9fj2-x81m-0pq7", until = timeadd(timestamp(), "2184h") }
  }
  expect_failures = [var.support]
}
