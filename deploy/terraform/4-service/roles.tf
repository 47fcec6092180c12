# Every role: who may take it, and what it may do. A policy names tables, a folder and a key, never everything.

locals {
  # By name: the function is made when its role may do what it has to.
  indexer_arn = "arn:${local.partition}:lambda:${local.here}:function:${local.name}-indexer"

  tables     = local.data.tables
  partitions = ["${local.foundation.organization}#*"]

  # Partitions of another organization are out of reach even in the same tables. Without the second condition a call
  # that names no partition at all would pass the first.
  own_partitions = {
    "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = local.partitions }
    Null                      = { "dynamodb:LeadingKeys" = "false" }
  }
  via = { for service in ["dynamodb", "s3", "sqs", "secretsmanager", "lambda"] : service => "${service}.${local.region}.amazonaws.com" }

  table_rights = {
    for key, table in local.tables : key => {
      Sid       = "Table${title(key)}"
      Effect    = "Allow"
      Action    = table.service_may
      Resource  = table.arn
      Condition = local.own_partitions
    }
  }

  # What the stream speaks of is read and closed, and an erasure that a server left half done is ended, wherever in an
  # entity it reaches: kinds of partitions have one letter. Settings are not erased; the record of the embedding spaces
  # among them is kept, where one of two could not be written.
  indexer_rights = [
    for right in [
      { sid = "Outbox", may = ["Query"], partitions = ["outbox", "e#*"] },
      { sid = "Spaces", may = ["GetItem", "PutItem", "ConditionCheckItem"], partitions = ["settings"] },
      { sid = "Done", may = ["DeleteItem"], partitions = ["outbox", "?", "?#*"] },
      ] : {
      Sid      = right.sid
      Effect   = "Allow"
      Action   = [for one in right.may : "dynamodb:${one}"]
      Resource = local.tables["memory"].arn
      Condition = merge(local.own_partitions, {
        "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = [for one in right.partitions : "${local.foundation.organization}#${one}"] }
      })
    }
  ]
  vector_rights = [
    {
      Sid      = "Vectors"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"]
      Resource = "${local.data.bucket_arn}/${local.data.vectors_prefix}/*"
    },
    {
      Sid       = "VectorsList"
      Effect    = "Allow"
      Action    = ["s3:ListBucket", "s3:ListBucketVersions"]
      Resource  = local.data.bucket_arn
      Condition = { StringLike = { "s3:prefix" = [local.data.vectors_prefix, "${local.data.vectors_prefix}/*"] } }
    },
  ]

  # By its own id a model is called in this region; one with a geography is an inference profile, which runs in several.
  bedrock = { for one in local.models : trimprefix(one, "bedrock/") => try(regex("^(us-gov|apac|global|[a-z]{2})\\.", trimprefix(one, "bedrock/"))[0], null) if startswith(one, "bedrock/") }
  model_rights = [for statement in [{
    Sid    = "Model"
    Effect = "Allow"
    Action = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    Resource = flatten([
      for id, geography in local.bedrock : geography == null ? [
        "arn:${local.partition}:bedrock:${local.region}::foundation-model/${id}",
        ] : [
        "arn:${local.partition}:bedrock:${local.here}:inference-profile/${id}",
        "arn:${local.partition}:bedrock:*::foundation-model/${trimprefix(id, "${geography}.")}",
      ]
    ])
  }] : statement if length(local.bedrock) > 0]

  roles = {
    for key, role in {
      start    = { service = "ecs-tasks.amazonaws.com", why = "Starts tasks: pulls the image, reads secrets, opens the log" }
      task     = { service = "ecs-tasks.amazonaws.com", why = "What the server may do" }
      indexer  = { service = "lambda.amazonaws.com", why = "What the indexer may do" }
      schedule = { service = "scheduler.amazonaws.com", why = "Calls the indexer at night" }
    } : key => role if var.indexer || !contains(["indexer", "schedule"], key)
  }

  policies = {
    for key, policy in {
      start    = local.start_policy
      task     = local.task_policy
      indexer  = local.indexer_policy
      schedule = local.schedule_policy
    } : key => policy if contains(keys(local.roles), key)
  }

  start_policy = {
    Version = "2012-10-17"
    Statement = concat(
      [
        { Sid = "Registry", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" }, # AWS knows no resource for it
        { Sid = "Image", Effect = "Allow", Action = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Resource = aws_ecr_repository.this.arn },
        { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.server.arn}:*" },
      ],
      [for statement in [
        { Sid = "Secrets", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = sort(values(var.secrets)) },
        { Sid = "SecretsKey", Effect = "Allow", Action = "kms:Decrypt", Resource = local.foundation.key_arn, Condition = { StringEquals = { "kms:ViaService" = local.via.secretsmanager } } },
      ] : statement if length(var.secrets) > 0],
    )
  }

  task_policy = {
    Version = "2012-10-17"
    Statement = concat(values(local.table_rights), local.vector_rights, local.model_rights, [{
      Sid       = "Key"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = local.foundation.key_arn
      Condition = { StringEquals = { "kms:ViaService" = [local.via.dynamodb, local.via.s3] } }
    }])
  }

  indexer_policy = {
    Version = "2012-10-17"
    Statement = concat(local.indexer_rights, local.vector_rights, [
      { Sid = "Stream", Effect = "Allow", Action = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"], Resource = local.data.stream_arn },
      { Sid = "DeadLetters", Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:${local.partition}:sqs:${local.here}:${local.name}-indexer-dead-letters" },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "arn:${local.partition}:logs:${local.here}:log-group:/${local.name}/indexer:*" },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = local.foundation.key_arn
        Condition = { StringEquals = { "kms:ViaService" = [local.via.dynamodb, local.via.s3, local.via.sqs, local.via.lambda] } }
      },
    ])
  }

  schedule_policy = {
    Version = "2012-10-17"
    Statement = [
      { Sid = "Optimize", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = local.indexer_arn },
    ]
  }

  # Who rolls out images changes the service and the indexer and hands over the roles of tasks, and can read nothing.
  deploy_policy = {
    Version = "2012-10-17"
    Statement = concat([
      { Sid = "Registry", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },                                    # AWS knows no resource
      { Sid = "Definition", Effect = "Allow", Action = ["ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition"], Resource = "*" }, # for these three
      { Sid = "Push", Effect = "Allow", Action = ["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"], Resource = aws_ecr_repository.this.arn },
      { Sid = "RollOut", Effect = "Allow", Action = ["ecs:UpdateService", "ecs:DescribeServices"], Resource = aws_ecs_service.this.id },
      {
        Sid       = "HandOver"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [aws_iam_role.this["start"].arn, aws_iam_role.this["task"].arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      ], [
      for function in aws_lambda_function.indexer :
      { Sid = "Indexer", Effect = "Allow", Action = "lambda:UpdateFunctionCode", Resource = function.arn }
    ])
  }
}

resource "aws_iam_role" "this" {
  for_each             = local.roles
  name                 = "${local.name}-${each.key}"
  description          = each.value.why
  permissions_boundary = local.foundation.boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = each.value.service }
      Action    = "sts:AssumeRole"
      # Lambda and its stream say no account when they take a role.
      Condition = each.value.service == "lambda.amazonaws.com" ? {} : { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.roles
  name     = "may"
  role     = aws_iam_role.this[each.key].id
  policy   = jsonencode(local.policies[each.key])
}

resource "aws_iam_role" "deploy" {
  count                = length(var.deployers) > 0 ? 1 : 0
  name                 = "${local.name}-deploy"
  description          = "Rolls out images"
  max_session_duration = 3600
  permissions_boundary = local.foundation.boundary_arn
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = var.deployers }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "deploy" {
  count  = length(var.deployers) > 0 ? 1 : 0
  name   = "may"
  role   = aws_iam_role.deploy[0].id
  policy = jsonencode(local.deploy_policy)
}
