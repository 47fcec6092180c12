output "name" {
  description = "The name that everything begins with."
  value       = var.name
}

output "region" {
  description = "The region of everything."
  value       = var.region
}

output "organization" {
  description = "The organization that the service keeps memory for."
  value       = var.organization
}

output "tags" {
  description = "Tags of everything."
  value       = merge({ "interlayer:deployment" = var.name }, var.tags)
}

output "key_arn" {
  description = "The customer's key."
  value       = aws_kms_key.data.arn
}

output "bucket" {
  description = "Name of the bucket for vectors, which 3-data makes."
  value       = local.bucket
}

output "logs_bucket" {
  description = "Bucket of the trail and of the load balancer's logs."
  value       = aws_s3_bucket.logs.id

  # A load balancer tries to write as soon as it is told to.
  depends_on = [aws_s3_bucket_policy.logs]
}

output "boundary_arn" {
  description = "The permissions boundary of every role."
  value       = aws_iam_policy.boundary.arn
}

output "support_role_arn" {
  description = "The role for somebody outside, if there is one."
  value       = one(aws_iam_role.support[*].arn)
}
