locals {
  balancers = var.balancer == null ? 0 : 1
}

resource "aws_security_group" "balancer" {
  count       = local.balancers
  name        = "${local.name}-balancer"
  description = "The load balancer"
  vpc_id      = local.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each          = toset(try(var.balancer.callers, []))
  description       = "Callers"
  security_group_id = aws_security_group.balancer[0].id
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  count                        = local.balancers
  description                  = "Tasks"
  security_group_id            = aws_security_group.balancer[0].id
  referenced_security_group_id = local.network.service_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_lb" "this" {
  count                      = local.balancers
  name                       = local.name
  internal                   = !var.balancer.public
  load_balancer_type         = "application"
  security_groups            = aws_security_group.balancer[*].id
  subnets                    = local.balancer_subnets
  drop_invalid_header_fields = true
  enable_deletion_protection = true
  idle_timeout               = 120

  access_logs {
    bucket  = local.foundation.logs_bucket
    prefix  = "balancer"
    enabled = true
  }
}

resource "aws_lb_target_group" "this" {
  count                = local.balancers
  name                 = local.name
  port                 = local.port
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = local.network.vpc_id
  deregistration_delay = 30

  # A task whose stores are away is still the one to ask: it says so to its callers, and all tasks share the stores.
  health_check {
    path                = "/healthz"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "this" {
  count             = local.balancers
  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.balancer.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[0].arn
  }
}
