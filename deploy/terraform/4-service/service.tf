resource "aws_cloudwatch_log_group" "server" {
  name              = "/${local.name}/server"
  retention_in_days = var.log_days
  kms_key_id        = local.foundation.key_arn
}

resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "disabled" # what the alarms need comes free of charge
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.cpu)
  memory                   = tostring(var.memory)
  execution_role_arn       = aws_iam_role.this["start"].arn
  task_role_arn            = aws_iam_role.this["task"].arn
  container_definitions    = jsonencode([local.container])

  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }

  # The only place a task can write to; gone with the task.
  volume {
    name = "scratch"
  }
}

locals {
  container = {
    name                   = "server"
    image                  = local.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    stopTimeout            = 30
    portMappings           = [{ containerPort = local.port, hostPort = local.port, protocol = "tcp" }]
    environment            = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    secrets                = [for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name] }]
    mountPoints            = [{ sourceVolume = "scratch", containerPath = "/data", readOnly = false }]
    linuxParameters        = { initProcessEnabled = true }

    healthCheck = {
      command     = ["CMD", "python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:${local.port}/healthz', timeout=2)"]
      interval    = 10
      timeout     = 3
      retries     = 3
      startPeriod = 30
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.server.name
        "awslogs-region"        = local.region
        "awslogs-stream-prefix" = "server"
      }
    }
  }
}

resource "aws_ecs_service" "this" {
  name                              = local.name
  cluster                           = aws_ecs_cluster.this.id
  task_definition                   = aws_ecs_task_definition.this.arn
  desired_count                     = var.tasks.least
  launch_type                       = "FARGATE"
  health_check_grace_period_seconds = var.balancer == null ? null : 60

  # A new task answers before an old one goes.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = local.network.task_subnet_ids
    security_groups  = [local.network.service_security_group_id]
    assign_public_ip = local.network.posture == "public"
  }

  dynamic "load_balancer" {
    for_each = aws_lb_target_group.this

    content {
      target_group_arn = load_balancer.value.arn
      container_name   = local.container.name
      container_port   = local.port
    }
  }

  # Autoscaling moves it, and so does who stops the service in the night.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_iam_role_policy.this, aws_lb_listener.this]
}

resource "aws_appautoscaling_target" "tasks" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.tasks.least
  max_capacity       = var.tasks.most
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.tasks.service_namespace
  resource_id        = aws_appautoscaling_target.tasks.resource_id
  scalable_dimension = aws_appautoscaling_target.tasks.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# Who may call: the load balancer, or without one the network itself.
resource "aws_vpc_security_group_ingress_rule" "callers" {
  description                  = var.balancer == null ? "Callers in the network" : "The load balancer"
  security_group_id            = local.network.service_security_group_id
  cidr_ipv4                    = var.balancer == null ? local.network.cidr : null
  referenced_security_group_id = one(aws_security_group.balancer[*].id)
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

# A model in the network listens where model_api_base says.
resource "aws_vpc_security_group_egress_rule" "model" {
  count             = var.model_api_base == null ? 0 : 1
  description       = "The model in the network"
  security_group_id = local.network.service_security_group_id
  cidr_ipv4         = local.network.cidr
  ip_protocol       = "tcp"
  from_port         = local.model_port
  to_port           = local.model_port
}

locals {
  model_port = try(
    tonumber(regex("^https?://[^/:]+:([0-9]+)", var.model_api_base)[0]),
    startswith(coalesce(var.model_api_base, "http:"), "https:") ? 443 : 80,
  )
}
