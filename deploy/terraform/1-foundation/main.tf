provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ "interlayer:deployment" = var.name }, var.tags)
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  root      = "arn:${local.partition}:iam::${local.account}:root"

  # Named here, made in 3-data and 4-service: the trail and the boundary have to know them before they are there.
  bucket     = "${var.name}-vectors-${local.account}-${var.region}"
  bucket_arn = "arn:${local.partition}:s3:::${local.bucket}"
  table_arns = "arn:${local.partition}:dynamodb:${var.region}:${local.account}:table/${var.name}-"
  trail_arn  = "arn:${local.partition}:cloudtrail:${var.region}:${local.account}:trail/${var.name}"

  governance_arn = "${local.table_arns}governance"
  task_sessions  = "arn:${local.partition}:sts::${local.account}:assumed-role/${var.name}-task/"
}
