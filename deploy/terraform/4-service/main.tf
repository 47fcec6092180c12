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

data "terraform_remote_state" "network" {
  backend = var.state.backend
  config  = merge(var.state.config, { (local.state_key) = "${local.state_folder}2-network/terraform.tfstate" })
}

data "terraform_remote_state" "data" {
  backend = var.state.backend
  config  = merge(var.state.config, { (local.state_key) = "${local.state_folder}3-data/terraform.tfstate" })
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  state_key    = var.state.backend == "local" ? "path" : "key"
  state_folder = var.state.backend == "local" ? "${path.module}/../" : ""

  foundation = data.terraform_remote_state.foundation.outputs
  network    = data.terraform_remote_state.network.outputs
  data       = data.terraform_remote_state.data.outputs

  name      = local.foundation.name
  region    = local.foundation.region
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  here      = "${local.region}:${local.account}"

  egress           = local.network.posture != "endpoints"
  bedrock_endpoint = contains(local.network.endpoints, "bedrock-runtime")
  models           = split(",", var.model)
  balancer_subnets = try(var.balancer.public, false) ? local.network.public_subnet_ids : local.network.task_subnet_ids

  image = coalesce(var.image, "${aws_ecr_repository.this.repository_url}:${var.image_tag}")
  port  = 8000

  settings = merge(
    local.data.environment,
    { INTERLAYER_MODEL = var.model, INTERLAYER_LOG_LEVEL = "INFO" },
    var.model_api_base == null ? {} : { INTERLAYER_MODEL_API_BASE = var.model_api_base },
    { for name, value in var.settings : "INTERLAYER_${name}" => value },
  )
  auth = {
    for name, value in {
      INTERLAYER_AUTH          = var.auth.mode
      INTERLAYER_AUTH_ISSUER   = var.auth.issuer
      INTERLAYER_AUTH_AUDIENCE = var.auth.audience
      INTERLAYER_AUTH_JWKS     = var.auth.jwks
    } : name => value if value != null
  }
  environment = merge(local.settings, local.auth, { AWS_REGION = local.region, INTERLAYER_HOME = "/data" })
}

resource "aws_ecr_repository" "this" {
  name                 = local.name
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = local.foundation.key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Ten images to go back to"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_ecr_repository_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "IndexerIsPulled"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Condition = { StringEquals = { "aws:SourceArn" = local.indexer_arn } }
    }]
  })
}
