output "tables" {
  description = "The tables: ARN, name, and what the service may do with each."
  value = {
    for key, table in aws_dynamodb_table.this : key => {
      arn         = table.arn
      name        = table.name
      service_may = [for right in local.described.tables[key].service_may : "dynamodb:${right}"]
    }
  }
}

output "stream_arn" {
  description = "The stream that carries what has to be indexed."
  value       = aws_dynamodb_table.this["memory"].stream_arn
}

output "bucket_arn" {
  description = "The bucket of the vectors."
  value       = aws_s3_bucket.vectors.arn
}

output "vectors_prefix" {
  description = "The folder of the vectors in the bucket."
  value       = local.folder
}

output "environment" {
  description = "The settings that lead to the stores."
  value = {
    INTERLAYER_STORE   = "dynamodb://${local.name}?region=${local.foundation.region}"
    INTERLAYER_VECTORS = "s3://${aws_s3_bucket.vectors.id}/${local.folder}"
    INTERLAYER_ORG     = local.foundation.organization
  }
}
