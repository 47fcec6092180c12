# The stream of the memory table carries what has to be indexed; servers do it themselves, this does what they left.

locals {
  indexers = var.indexer ? 1 : 0
}

resource "aws_cloudwatch_log_group" "indexer" {
  count             = local.indexers
  name              = "/${local.name}/indexer"
  retention_in_days = var.log_days
  kms_key_id        = local.foundation.key_arn
}

resource "aws_sqs_queue" "dead_letters" {
  count                     = local.indexers
  name                      = "${local.name}-indexer-dead-letters"
  kms_master_key_id         = local.foundation.key_arn
  message_retention_seconds = 1209600 # two weeks, the longest there is
}

resource "aws_lambda_function" "indexer" {
  count         = local.indexers
  function_name = "${local.name}-indexer"
  description   = "Indexes what the stream of the memory table brings; optimizes the vectors at night"
  role          = aws_iam_role.this["indexer"].arn
  package_type  = "Image"
  image_uri     = local.image
  architectures = [var.architecture == "ARM64" ? "arm64" : "x86_64"]
  memory_size   = 1024
  timeout       = 300
  kms_key_arn   = local.foundation.key_arn

  # One at a time: writers of vectors side by side wait for one another.
  reserved_concurrent_executions = 1

  image_config {
    entry_point = ["python", "-m", "awslambdaric"]
    command     = ["interlayer.app.stream.handler"]
  }

  environment {
    variables = merge(local.data.environment, { INTERLAYER_HOME = "/tmp/interlayer", TMPDIR = "/tmp", INTERLAYER_LOG_LEVEL = "INFO" })
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.indexer[0].name
  }

  depends_on = [aws_iam_role_policy.this, aws_ecr_repository_policy.this]
}

resource "aws_lambda_event_source_mapping" "stream" {
  count                              = local.indexers
  event_source_arn                   = local.data.stream_arn
  function_name                      = aws_lambda_function.indexer[0].arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 100
  maximum_batching_window_in_seconds = 5
  maximum_retry_attempts             = 5
  bisect_batch_on_function_error     = true
  function_response_types            = ["ReportBatchItemFailures"]

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters[0].arn
    }
  }
}

resource "aws_scheduler_schedule" "optimize" {
  count               = local.indexers
  name                = "${local.name}-optimize"
  description         = "Merges small pieces of the vectors, once a night"
  schedule_expression = "cron(17 3 * * ? *)"
  kms_key_arn         = local.foundation.key_arn

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 60
  }

  target {
    arn      = aws_lambda_function.indexer[0].arn
    role_arn = aws_iam_role.this["schedule"].arn
    input    = jsonencode({ optimize = [local.foundation.organization] })

    retry_policy {
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 3600
    }
  }
}
