# The boundary: whatever policy a role of ours is ever given, this is all it can do.

resource "aws_iam_policy" "boundary" {
  name        = "${var.name}-boundary"
  description = "The most that any role of ${var.name} may do"
  policy      = jsonencode(local.boundary)
}

locals {
  here = "${var.region}:${local.account}"
  arn  = "arn:${local.partition}"

  boundary = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Ours"
        Effect = "Allow"
        Action = ["dynamodb:*", "s3:*", "sqs:*", "logs:*", "ecr:*", "ecs:*", "lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:GetFunction"]
        Resource = [
          "${local.table_arns}*",
          local.bucket_arn,
          "${local.bucket_arn}/*",
          "${local.arn}:sqs:${local.here}:${var.name}-*",
          "${local.arn}:logs:${local.here}:log-group:/${var.name}/*",
          "${local.arn}:ecr:${local.here}:repository/${var.name}",
          "${local.arn}:ecs:${local.here}:*/${var.name}*",
          "${local.arn}:lambda:${local.here}:function:${var.name}-*",
        ]
      },
      {
        Sid      = "OurKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = aws_kms_key.data.arn
      },
      {
        Sid      = "SecretsOfThisAccount"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = "${local.arn}:secretsmanager:${local.here}:secret:*"
      },
      {
        Sid    = "Models"
        Effect = "Allow"
        Action = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
        Resource = [
          "${local.arn}:bedrock:*::foundation-model/*",
          "${local.arn}:bedrock:${local.here}:inference-profile/*",
        ]
      },
      {
        # AWS knows no resource for these two.
        Sid      = "WithoutResource"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken", "ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition"]
        Resource = "*"
      },
      {
        Sid      = "HandOver"
        Effect   = "Allow"
        Action   = "iam:PassRole"
        Resource = "${local.arn}:iam::${local.account}:role/${var.name}-*"
        Condition = {
          StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" }
        }
      },
      {
        Sid    = "Never"
        Effect = "Deny"
        Action = [
          "dynamodb:DeleteTable", "dynamodb:UpdateTable", "dynamodb:DeleteBackup", "dynamodb:UpdateContinuousBackups",
          "s3:DeleteBucket", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning",
        ]
        Resource = "*"
      },
    ]
  }
}

# Nobody outside has access unless the organization says so here, for how long, and to what: no data at all.

resource "aws_iam_role" "support" {
  count                = var.support == null ? 0 : 1
  name                 = "${var.name}-support"
  description          = "Looks at settings and metrics until ${var.support.until}"
  max_session_duration = 3600
  assume_role_policy   = jsonencode(local.support_trust)
}

resource "aws_iam_role_policy" "support" {
  count  = var.support == null ? 0 : 1
  name   = "look"
  role   = aws_iam_role.support[0].id
  policy = jsonencode(local.support_policy)
}

locals {
  until = { DateLessThan = { "aws:CurrentTime" = try(var.support.until, "") } }

  support_trust = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "${local.arn}:iam::${try(var.support.account_id, "")}:root" }
      Action    = "sts:AssumeRole"
      Condition = merge(local.until, { StringEquals = { "sts:ExternalId" = try(var.support.external_id, "") } })
    }]
  }

  support_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:DescribeContinuousBackups",
          "ecs:DescribeServices", "ecs:DescribeTasks", "sqs:GetQueueAttributes", "lambda:GetFunctionConfiguration",
        ]
        Resource = [
          "${local.table_arns}*",
          "${local.arn}:ecs:${local.here}:service/${var.name}/*",
          "${local.arn}:ecs:${local.here}:task/${var.name}/*",
          "${local.arn}:sqs:${local.here}:${var.name}-*",
          "${local.arn}:lambda:${local.here}:function:${var.name}-*",
        ]
        Condition = local.until
      },
      {
        Sid       = "LookAtMetrics"
        Effect    = "Allow"
        Action    = ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "cloudwatch:DescribeAlarms"]
        Resource  = "*"
        Condition = local.until
      },
      {
        Sid    = "NoData"
        Effect = "Deny"
        Action = [
          "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:GetRecords",
          "dynamodb:PartiQL*", "dynamodb:ExportTableToPointInTime", "s3:GetObject*", "kms:Decrypt",
          "secretsmanager:GetSecretValue", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery",
          "sqs:ReceiveMessage", "ecs:ExecuteCommand",
        ]
        Resource = "*"
      },
    ]
  }
}
