"""The types of the service phase: registry, tasks, indexer, alarms, load balancer."""

import json
from typing import Any

from emulated import Maker, Values, given, makes, only


@makes("aws_ecr_repository")
def _repository(aws: Maker, v: Values) -> dict[str, Any]:
    encryption = only(v["encryption_configuration"])
    made = aws.client("ecr").create_repository(
        repositoryName=v["name"],
        imageTagMutability=v["image_tag_mutability"],
        imageScanningConfiguration={"scanOnPush": only(v["image_scanning_configuration"])["scan_on_push"]},
        encryptionConfiguration=given(encryptionType=encryption["encryption_type"], kmsKey=encryption["kms_key"]),
    )["repository"]
    return {"id": v["name"], "arn": made["repositoryArn"], "repository_url": made["repositoryUri"]}


@makes("aws_ecr_lifecycle_policy")
def _images(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("ecr").put_lifecycle_policy(repositoryName=v["repository"], lifecyclePolicyText=v["policy"])
    return {"id": v["repository"]}


@makes("aws_ecr_repository_policy")
def _repository_policy(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("ecr").set_repository_policy(repositoryName=v["repository"], policyText=v["policy"])
    return {"id": v["repository"]}


@makes("aws_cloudwatch_log_group")
def _log_group(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("logs").create_log_group(**given(logGroupName=v["name"], kmsKeyId=v["kms_key_id"]))
    aws.client("logs").put_retention_policy(logGroupName=v["name"], retentionInDays=v["retention_in_days"])
    return {"id": v["name"], "arn": f"arn:aws:logs:{aws.region}:{aws.account}:log-group:{v['name']}"}


@makes("aws_cloudwatch_log_metric_filter")
def _filter(aws: Maker, v: Values) -> dict[str, Any]:
    metric = only(v["metric_transformation"])
    transformation = {
        "metricName": metric["name"],
        "metricNamespace": metric["namespace"],
        "metricValue": metric["value"],
        "defaultValue": float(metric["default_value"]),
    }
    aws.client("logs").put_metric_filter(
        logGroupName=v["log_group_name"],
        filterName=v["name"],
        filterPattern=v["pattern"],
        metricTransformations=[transformation],
    )
    return {"id": v["name"]}


@makes("aws_cloudwatch_metric_alarm")
def _alarm(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=v["alarm_name"],
        AlarmDescription=v["alarm_description"],
        Namespace=v["namespace"],
        MetricName=v["metric_name"],
        Statistic=v["statistic"],
        ComparisonOperator=v["comparison_operator"],
        Threshold=v["threshold"],
        Period=v["period"],
        EvaluationPeriods=v["evaluation_periods"],
        TreatMissingData=v["treat_missing_data"],
        Dimensions=[{"Name": name, "Value": one} for name, one in (v["dimensions"] or {}).items()],
        AlarmActions=v["alarm_actions"],
        OKActions=v["ok_actions"],
    )
    return {"id": v["alarm_name"]}


@makes("aws_cloudwatch_dashboard")
def _dashboard(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("cloudwatch").put_dashboard(DashboardName=v["dashboard_name"], DashboardBody=v["dashboard_body"])
    return {"id": v["dashboard_name"]}


@makes("aws_sns_topic")
def _topic(aws: Maker, v: Values) -> dict[str, Any]:
    attributes = given(KmsMasterKeyId=v["kms_master_key_id"])
    made = aws.client("sns").create_topic(Name=v["name"], Attributes=attributes)["TopicArn"]
    return {"id": made, "arn": made}


@makes("aws_sns_topic_subscription")
def _subscription(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("sns").subscribe(TopicArn=v["topic_arn"], Protocol=v["protocol"], Endpoint=v["endpoint"])
    return {"id": made["SubscriptionArn"]}


@makes("aws_sqs_queue")
def _queue(aws: Maker, v: Values) -> dict[str, Any]:
    attributes = given(
        KmsMasterKeyId=v["kms_master_key_id"], MessageRetentionPeriod=str(v["message_retention_seconds"])
    )
    url = aws.client("sqs").create_queue(QueueName=v["name"], Attributes=attributes)["QueueUrl"]
    found = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return {"id": url, "url": url, "arn": found["Attributes"]["QueueArn"]}


@makes("aws_lambda_function")
def _function(aws: Maker, v: Values) -> dict[str, Any]:
    image = only(v["image_config"])
    logging = only(v["logging_config"])
    made = aws.client("lambda").create_function(
        **given(
            FunctionName=v["function_name"],
            Role=v["role"],
            PackageType=v["package_type"],
            Code={"ImageUri": v["image_uri"]},
            Architectures=v["architectures"],
            MemorySize=v["memory_size"],
            Timeout=v["timeout"],
            KMSKeyArn=v["kms_key_arn"],
            Environment={"Variables": only(v["environment"])["variables"]},
            ImageConfig=given(EntryPoint=image["entry_point"], Command=image["command"]),
            LoggingConfig=given(LogFormat=logging["log_format"], LogGroup=logging["log_group"]),
        )
    )
    return {"id": v["function_name"], "arn": made["FunctionArn"]}


@makes("aws_lambda_event_source_mapping")
def _mapping(aws: Maker, v: Values) -> dict[str, Any]:
    failed = only(only(v["destination_config"])["on_failure"])["destination_arn"]
    made = aws.client("lambda").create_event_source_mapping(
        **given(
            EventSourceArn=v["event_source_arn"],
            FunctionName=v["function_name"],
            StartingPosition=v["starting_position"],
            BatchSize=v["batch_size"],
            MaximumBatchingWindowInSeconds=v["maximum_batching_window_in_seconds"],
            MaximumRetryAttempts=v["maximum_retry_attempts"],
            BisectBatchOnFunctionError=v["bisect_batch_on_function_error"],
            FunctionResponseTypes=v["function_response_types"],
            DestinationConfig={"OnFailure": {"Destination": failed}},
        )
    )
    return {"id": made["UUID"], "uuid": made["UUID"]}


@makes("aws_scheduler_schedule")
def _schedule(aws: Maker, v: Values) -> dict[str, Any]:
    window, target = only(v["flexible_time_window"]), only(v["target"])
    made = aws.client("scheduler").create_schedule(
        Name=v["name"],
        ScheduleExpression=v["schedule_expression"],
        FlexibleTimeWindow=given(Mode=window["mode"], MaximumWindowInMinutes=window["maximum_window_in_minutes"]),
        Target={"Arn": target["arn"], "RoleArn": target["role_arn"], "Input": target["input"]},
    )
    return {"id": f"default/{v['name']}", "arn": made["ScheduleArn"]}


@makes("aws_ecs_cluster")
def _cluster(aws: Maker, v: Values) -> dict[str, Any]:
    settings = [{"name": one["name"], "value": one["value"]} for one in v["setting"]]
    made = aws.client("ecs").create_cluster(clusterName=v["name"], settings=settings)["cluster"]["clusterArn"]
    return {"id": made, "arn": made}


@makes("aws_ecs_task_definition")
def _definition(aws: Maker, v: Values) -> dict[str, Any]:
    platform = only(v["runtime_platform"])
    made = aws.client("ecs").register_task_definition(
        family=v["family"],
        requiresCompatibilities=v["requires_compatibilities"],
        networkMode=v["network_mode"],
        cpu=v["cpu"],
        memory=v["memory"],
        executionRoleArn=v["execution_role_arn"],
        taskRoleArn=v["task_role_arn"],
        containerDefinitions=json.loads(v["container_definitions"]),
        volumes=[{"name": one["name"]} for one in v["volume"]],
        runtimePlatform={
            "cpuArchitecture": platform["cpu_architecture"],
            "operatingSystemFamily": platform["operating_system_family"],
        },
    )["taskDefinition"]
    return {"id": v["family"], "arn": made["taskDefinitionArn"], "revision": made["revision"]}


@makes("aws_ecs_service")
def _service(aws: Maker, v: Values) -> dict[str, Any]:
    network, breaker = only(v["network_configuration"]), only(v["deployment_circuit_breaker"])
    made = aws.client("ecs").create_service(
        **given(
            serviceName=v["name"],
            cluster=v["cluster"],
            taskDefinition=v["task_definition"],
            desiredCount=v["desired_count"],
            launchType=v["launch_type"],
            deploymentConfiguration={"deploymentCircuitBreaker": given(**breaker)},
            loadBalancers=[
                {
                    "targetGroupArn": one["target_group_arn"],
                    "containerName": one["container_name"],
                    "containerPort": one["container_port"],
                }
                for one in v["load_balancer"]
            ],
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": network["subnets"],
                    "securityGroups": network["security_groups"],
                    "assignPublicIp": "ENABLED" if network["assign_public_ip"] else "DISABLED",
                }
            },
        )
    )["service"]
    return {"id": made["serviceArn"]}


@makes("aws_appautoscaling_target")
def _scaling_target(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("application-autoscaling").register_scalable_target(
        ServiceNamespace=v["service_namespace"],
        ResourceId=v["resource_id"],
        ScalableDimension=v["scalable_dimension"],
        MinCapacity=v["min_capacity"],
        MaxCapacity=v["max_capacity"],
    )
    return {"id": v["resource_id"]}


@makes("aws_appautoscaling_policy")
def _scaling_policy(aws: Maker, v: Values) -> dict[str, Any]:
    tracking = only(v["target_tracking_scaling_policy_configuration"])
    made = aws.client("application-autoscaling").put_scaling_policy(
        PolicyName=v["name"],
        PolicyType=v["policy_type"],
        ServiceNamespace=v["service_namespace"],
        ResourceId=v["resource_id"],
        ScalableDimension=v["scalable_dimension"],
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": tracking["target_value"],
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": only(tracking["predefined_metric_specification"])["predefined_metric_type"]
            },
        },
    )
    return {"id": v["name"], "arn": made["PolicyARN"]}


@makes("aws_lb")
def _balancer(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("elbv2").create_load_balancer(
        Name=v["name"],
        Subnets=v["subnets"],
        SecurityGroups=v["security_groups"],
        Scheme="internal" if v["internal"] else "internet-facing",
        Type=v["load_balancer_type"],
    )["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    return {"id": arn, "arn": arn, "dns_name": made["DNSName"], "arn_suffix": arn.split(":loadbalancer/")[-1]}


@makes("aws_lb_target_group")
def _target_group(aws: Maker, v: Values) -> dict[str, Any]:
    check = only(v["health_check"])
    made = aws.client("elbv2").create_target_group(
        Name=v["name"],
        Port=v["port"],
        Protocol=v["protocol"],
        TargetType=v["target_type"],
        VpcId=v["vpc_id"],
        HealthCheckPath=check["path"],
        HealthCheckIntervalSeconds=check["interval"],
        HealthCheckTimeoutSeconds=check["timeout"],
    )["TargetGroups"][0]["TargetGroupArn"]
    return {"id": made, "arn": made, "arn_suffix": made.rsplit(":", 1)[-1]}


@makes("aws_lb_listener")
def _listener(aws: Maker, v: Values) -> dict[str, Any]:
    action = only(v["default_action"])
    made = aws.client("elbv2").create_listener(
        LoadBalancerArn=v["load_balancer_arn"],
        Port=v["port"],
        Protocol=v["protocol"],
        SslPolicy=v["ssl_policy"],
        Certificates=[{"CertificateArn": v["certificate_arn"]}],
        DefaultActions=[{"Type": action["type"], "TargetGroupArn": action["target_group_arn"]}],
    )["Listeners"][0]["ListenerArn"]
    return {"id": made, "arn": made}
