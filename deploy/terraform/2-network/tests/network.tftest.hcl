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

run "public_costs_nothing_by_the_hour" {
  command = plan
  assert {
    condition     = length(aws_nat_gateway.this) + length(aws_vpc_endpoint.interface) == 0
    error_message = "posture public pays for a gateway or endpoints"
  }
}

run "nat_is_private" {
  command = plan
  variables {
    posture = "nat"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_subnet.private) == 2
    error_message = "posture nat takes one gateway and private subnets"
  }
}

run "endpoints_let_nothing_out" {
  command = plan
  variables {
    posture = "endpoints"
  }
  assert {
    condition     = length(aws_internet_gateway.this) == 0 && length(aws_vpc_security_group_egress_rule.anywhere) == 0
    error_message = "posture endpoints has a way out"
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 5 && length(aws_vpc_endpoint.gateway) == 2
    error_message = "posture endpoints takes five endpoints and two gateways"
  }
}

run "no_pigeons" {
  command = plan
  variables {
    posture = "carrier-pigeon"
  }
  expect_failures = [var.posture]
}

run "no_tiny_network" {
  command = plan
  variables {
    cidr = "10.42.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "no_nine_zones" {
  command = plan
  variables {
    zones = 9
  }
  expect_failures = [var.zones]
}
