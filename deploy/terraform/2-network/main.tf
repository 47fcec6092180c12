provider "aws" {
  region = local.foundation.region

  default_tags {
    tags = local.foundation.tags
  }
}

data "terraform_remote_state" "foundation" {
  backend = var.state.backend
  config  = merge(var.state.config, { (local.state_key) = "${local.state_folder}1-foundation/terraform.tfstate" })
}

data "aws_availability_zones" "here" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_partition" "current" {}

locals {
  state_key    = var.state.backend == "local" ? "path" : "key"
  state_folder = var.state.backend == "local" ? "${path.module}/../" : ""

  foundation = data.terraform_remote_state.foundation.outputs
  name       = local.foundation.name
  zones      = slice(sort(data.aws_availability_zones.here.names), 0, var.zones)

  # By name, so that another number of zones moves nothing that is there.
  public  = var.posture == "endpoints" ? {} : { for number, zone in local.zones : zone => number }
  private = var.posture == "public" ? {} : { for number, zone in local.zones : zone => number + 8 }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = local.name }
}

# Nothing uses the group that every network begins with: without rules it lets nothing through.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "public" {
  for_each          = local.public
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(var.cidr, 4, each.value)
  availability_zone = each.key

  tags = { Name = "${local.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each          = local.private
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(var.cidr, 4, each.value)
  availability_zone = each.key

  tags = { Name = "${local.name}-private-${each.key}" }
}

resource "aws_internet_gateway" "this" {
  count  = length(local.public) > 0 ? 1 : 0
  vpc_id = aws_vpc.this.id
}

resource "aws_route_table" "public" {
  count  = length(local.public) > 0 ? 1 : 0
  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.name}-public" }
}

resource "aws_route" "internet" {
  count                  = length(local.public) > 0 ? 1 : 0
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table" "private" {
  count  = length(local.private) > 0 ? 1 : 0
  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.name}-private" }
}

resource "aws_route_table_association" "public" {
  for_each       = aws_subnet.public
  subnet_id      = each.value.id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_route_table_association" "private" {
  for_each       = aws_subnet.private
  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[0].id
}

# One gateway in one zone: a second doubles the bill, and a zone that fails takes model calls with it, no data.
resource "aws_eip" "nat" {
  count  = var.posture == "nat" ? 1 : 0
  domain = "vpc"
}

resource "aws_nat_gateway" "this" {
  count         = var.posture == "nat" ? 1 : 0
  allocation_id = aws_eip.nat[0].allocation_id
  subnet_id     = aws_subnet.public[local.zones[0]].id

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route" "nat" {
  count                  = var.posture == "nat" ? 1 : 0
  route_table_id         = aws_route_table.private[0].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[0].id
}
