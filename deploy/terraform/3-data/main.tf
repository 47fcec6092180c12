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

locals {
  state_key    = var.state.backend == "local" ? "path" : "key"
  state_folder = var.state.backend == "local" ? "${path.module}/../" : ""

  foundation = data.terraform_remote_state.foundation.outputs
  name       = local.foundation.name
  folder     = "vectors"

  # The one description of the tables, which the application reads too.
  described = jsondecode(file("${path.module}/../../../server/interlayer/storage/dynamodb/tables.json"))
}

resource "aws_dynamodb_table" "this" {
  for_each                    = local.described.tables
  name                        = "${local.name}-${each.key}"
  billing_mode                = local.described.billing_mode
  hash_key                    = local.described.partition_key
  range_key                   = local.described.sort_key
  stream_enabled              = each.value.stream_view_type != null
  stream_view_type            = each.value.stream_view_type
  deletion_protection_enabled = var.deletion_protection && local.described.deletion_protection

  dynamic "attribute" {
    for_each = [local.described.partition_key, local.described.sort_key]

    content {
      name = attribute.value
      type = local.described.key_type
    }
  }

  ttl {
    enabled        = true
    attribute_name = local.described.ttl_attribute
  }

  point_in_time_recovery {
    enabled = local.described.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = local.foundation.key_arn
  }
}

resource "aws_s3_bucket" "vectors" {
  bucket        = local.foundation.bucket
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "vectors" {
  bucket                  = aws_s3_bucket.vectors.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "vectors" {
  bucket = aws_s3_bucket.vectors.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "vectors" {
  bucket = aws_s3_bucket.vectors.id

  versioning_configuration {
    status = "Enabled"
  }
}

# With a key of the bucket, S3 asks KMS once for many objects instead of once for each.
resource "aws_s3_bucket_server_side_encryption_configuration" "vectors" {
  bucket = aws_s3_bucket.vectors.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.foundation.key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "vectors" {
  bucket = aws_s3_bucket.vectors.id

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.vectors]
}

resource "aws_s3_bucket_policy" "vectors" {
  bucket = aws_s3_bucket.vectors.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyEncrypted"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.vectors.arn, "${aws_s3_bucket.vectors.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.vectors]
}
