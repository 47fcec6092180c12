output "posture" {
  description = "public, nat or endpoints."
  value       = var.posture
}

output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its addresses."
  value       = aws_vpc.this.cidr_block
}

output "task_subnet_ids" {
  description = "Where tasks run."
  value       = [for subnet in(var.posture == "public" ? aws_subnet.public : aws_subnet.private) : subnet.id]
}

output "public_subnet_ids" {
  description = "Where a public load balancer stands; empty with posture endpoints."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "service_security_group_id" {
  description = "The security group of tasks."
  value       = aws_security_group.service.id
}

output "endpoints" {
  description = "The interface endpoints there are."
  value       = keys(aws_vpc_endpoint.interface)
}
