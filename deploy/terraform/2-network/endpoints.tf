locals {
  service_prefix = "${data.aws_partition.current.reverse_dns_prefix}.${local.foundation.region}"

  # What a task calls that no gateway endpoint serves: its image, its logs, its secrets, its model.
  interfaces = var.posture != "endpoints" ? [] : concat(
    ["ecr.api", "ecr.dkr", "logs", "secretsmanager"],
    var.bedrock ? ["bedrock-runtime"] : [],
  )
}

# Free, so in every posture: reads and writes of tables and vectors never leave AWS's network.
resource "aws_vpc_endpoint" "gateway" {
  for_each          = toset(["dynamodb", "s3"])
  vpc_id            = aws_vpc.this.id
  service_name      = "${local.service_prefix}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat(aws_route_table.public[*].id, aws_route_table.private[*].id)

  tags = { Name = "${local.name}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = toset(local.interfaces)
  vpc_id              = aws_vpc.this.id
  service_name        = "${local.service_prefix}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints[0].id]

  tags = { Name = "${local.name}-${each.key}" }
}

resource "aws_security_group" "endpoints" {
  count       = length(local.interfaces) > 0 ? 1 : 0
  name        = "${local.name}-endpoints"
  description = "Endpoints of AWS services"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count                        = length(local.interfaces) > 0 ? 1 : 0
  description                  = "Tasks"
  security_group_id            = aws_security_group.endpoints[0].id
  referenced_security_group_id = aws_security_group.service.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# Who may call a task is added in 4-service.
resource "aws_security_group" "service" {
  name        = "${local.name}-service"
  description = "Tasks of the service"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "anywhere" {
  count             = var.posture == "endpoints" ? 0 : 1
  description       = "AWS and model providers over TLS"
  security_group_id = aws_security_group.service.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  count                        = length(local.interfaces) > 0 ? 1 : 0
  description                  = "Endpoints of AWS services"
  security_group_id            = aws_security_group.service.id
  referenced_security_group_id = aws_security_group.endpoints[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "stores" {
  for_each          = var.posture == "endpoints" ? aws_vpc_endpoint.gateway : {}
  description       = "Gateway endpoint of ${each.key}"
  security_group_id = aws_security_group.service.id
  prefix_list_id    = each.value.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
