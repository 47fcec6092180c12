# What each alarm means and what to do stands in docs/operating-in-aws.md.

resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  kms_master_key_id = local.foundation.key_arn
}

resource "aws_sns_topic_subscription" "alarms" {
  count     = var.alarm_email == null ? 0 : 1
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${local.name}-errors"
  log_group_name = aws_cloudwatch_log_group.server.name
  pattern        = "?ERROR ?CRITICAL"

  metric_transformation {
    name          = "errors"
    namespace     = local.name
    value         = "1"
    default_value = "0"
  }
}

locals {
  service_dimensions = { ClusterName = aws_ecs_cluster.this.name, ServiceName = aws_ecs_service.this.name }
  indexer_dimensions = { FunctionName = "${local.name}-indexer" }

  # Namespace, metric, dimensions, statistic; seconds and how many of them; beyond what; what no data means.
  service_alarms = {
    no-task = {
      namespace  = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service_dimensions, statistic = "SampleCount",
      comparison = "LessThanThreshold", threshold = 1, period = 60, periods = 5, missing = "breaching"
    }
    cpu-high = {
      namespace  = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service_dimensions, statistic = "Average",
      comparison = "GreaterThanThreshold", threshold = 85, period = 300, periods = 3, missing = "notBreaching"
    }
    memory-high = {
      namespace  = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service_dimensions, statistic = "Maximum",
      comparison = "GreaterThanThreshold", threshold = 85, period = 300, periods = 3, missing = "notBreaching"
    }
    errors-logged = {
      namespace  = local.name, metric = "errors", dimensions = {}, statistic = "Sum",
      comparison = "GreaterThanThreshold", threshold = 5, period = 300, periods = 1, missing = "notBreaching"
    }
  }
  table_alarms = merge([
    for key, table in local.tables : {
      for event in ["Read", "Write"] : "${key}-${lower(event)}s-throttled" => {
        namespace  = "AWS/DynamoDB", metric = "${event}ThrottleEvents", dimensions = { TableName = table.name }, statistic = "Sum",
        comparison = "GreaterThanThreshold", threshold = 10, period = 300, periods = 2, missing = "notBreaching"
      }
    }
  ]...)
  indexer_alarms = {
    indexer-behind = {
      namespace  = "AWS/Lambda", metric = "IteratorAge", dimensions = local.indexer_dimensions, statistic = "Maximum",
      comparison = "GreaterThanThreshold", threshold = 900000, period = 300, periods = 2, missing = "notBreaching"
    }
    indexer-failing = {
      namespace  = "AWS/Lambda", metric = "Errors", dimensions = local.indexer_dimensions, statistic = "Sum",
      comparison = "GreaterThanThreshold", threshold = 3, period = 300, periods = 2, missing = "notBreaching"
    }
    indexer-dead-letters = {
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = "${local.name}-indexer-dead-letters" }, statistic = "Maximum",
      comparison = "GreaterThanThreshold", threshold = 0, period = 300, periods = 1, missing = "notBreaching"
    }
  }
  balancer_dimensions = { LoadBalancer = one(aws_lb.this[*].arn_suffix) }
  balancer_alarms = {
    balancer-errors = {
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.balancer_dimensions, statistic = "Sum",
      comparison = "GreaterThanThreshold", threshold = 10, period = 300, periods = 1, missing = "notBreaching"
    }
    balancer-no-target = {
      namespace  = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = merge(local.balancer_dimensions, { TargetGroup = one(aws_lb_target_group.this[*].arn_suffix) }), statistic = "Minimum",
      comparison = "LessThanThreshold", threshold = 1, period = 60, periods = 3, missing = "breaching"
    }
  }
  alarms = merge(
    local.service_alarms,
    local.table_alarms,
    { for key, alarm in local.indexer_alarms : key => alarm if var.indexer },
    { for key, alarm in local.balancer_alarms : key => alarm if var.balancer != null },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "docs/operating-in-aws.md, Alarms, ${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.name
  dashboard_body = jsonencode({
    widgets = [
      for number, widget in local.widgets : {
        type       = "metric"
        x          = number % 2 * 12
        y          = floor(number / 2) * 6
        width      = 12
        height     = 6
        properties = { title = widget.title, region = local.region, view = "timeSeries", stat = widget.stat, period = 300, metrics = widget.metrics }
      }
    ]
  })
}

locals {
  widgets = concat(
    [
      {
        title = "Tasks: percent of CPU and memory", stat = "Average",
        metrics = [
          for metric in ["CPUUtilization", "MemoryUtilization"] :
          ["AWS/ECS", metric, "ClusterName", aws_ecs_cluster.this.name, "ServiceName", aws_ecs_service.this.name]
        ]
      },
      { title = "Errors logged", stat = "Sum", metrics = [[local.name, "errors"]] },
      {
        title = "Tables: units read and written", stat = "Sum",
        metrics = concat([
          for table in local.tables : [
            for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"] : ["AWS/DynamoDB", metric, "TableName", table.name]
          ]
        ]...)
      },
    ],
    var.indexer ? [
      { title = "Indexer: how far behind, in ms", stat = "Maximum", metrics = [["AWS/Lambda", "IteratorAge", "FunctionName", "${local.name}-indexer"]] },
    ] : [],
  )
}
