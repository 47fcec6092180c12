output "environment" {
  description = "The settings of a server."
  value       = local.environment
}

output "repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "policies" {
  description = "What each role may do, for review and for tests."
  value       = local.policies
}

output "cluster" {
  description = "Cluster and service have this name."
  value       = aws_ecs_cluster.this.name
}

output "address" {
  description = "Name of the load balancer, for a CNAME that the certificate covers."
  value       = one(aws_lb.this[*].dns_name)
}

output "deploy_role_arn" {
  description = "The role that rolls out images, if there is one."
  value       = one(aws_iam_role.deploy[*].arn)
}

output "alarms" {
  description = "The alarms; docs/operating-in-aws.md says what each means."
  value       = sort(keys(local.alarms))
}
