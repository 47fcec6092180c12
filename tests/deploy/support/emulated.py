"""Makes what terraform planned in an emulator of AWS, with the calls the real provider makes.

One function a type; a type that has none fails, so that nothing is taken for applied that was not. A function gets the
planned values and returns what AWS computed. Blocks are lists of values, as terraform sends them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import boto3

Values = Mapping[str, Any]
Make = Callable[["Maker", Values], dict[str, Any]]

MAKE: Final[dict[str, Make]] = {}
_DELETED: Final = ("aws_dynamodb_table", "aws_s3_bucket", "aws_s3_bucket_policy")


def makes(*kinds: str) -> Callable[[Make], Make]:
    """Register the function that makes a type."""

    def register(make: Make) -> Make:
        MAKE.update(dict.fromkeys(kinds, make))
        return make

    return register


def given(**values: Any) -> dict[str, Any]:
    """Return the parameters that were given: known, and not empty."""
    return {
        name: one
        for name, one in values.items()
        if isinstance(one, bool | int | str | list | dict) and one not in ("", [], {})
    }


def only(block: Any) -> dict[str, Any]:
    """Return the one block of a kind, or an empty one."""
    return block[0] if isinstance(block, list) and block else {}


class Maker:
    """An account in an emulator."""

    def __init__(self, endpoint: str) -> None:
        self.region = "us-east-1"
        self._endpoint = endpoint
        self.client = cache(self._client)

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._endpoint,
            region_name=self.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    @property
    def account(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    def change(self, kind: str, prior: Values | None, value: Values | None) -> dict[str, Any]:
        """Make, change or delete; return what AWS computed. Only what protection is about is really changed."""
        if kind not in MAKE:
            raise NotImplementedError(f"{kind}: the tests cannot make one")
        if value is None:
            if prior and kind in _DELETED:
                self._delete(kind, prior)
            return {}
        if prior is None:
            return MAKE[kind](self, value)
        if kind == "aws_dynamodb_table":
            protected = value["deletion_protection_enabled"]
            self.client("dynamodb").update_table(TableName=value["name"], DeletionProtectionEnabled=protected)
        return {}

    def _delete(self, kind: str, prior: Values) -> None:
        if kind == "aws_dynamodb_table":
            self.client("dynamodb").delete_table(TableName=prior["name"])
            return
        if kind == "aws_s3_bucket_policy":
            self.client("s3").delete_bucket_policy(Bucket=prior["bucket"])
            return
        if prior["force_destroy"]:
            found = self.client("s3").list_object_versions(Bucket=prior["id"])
            for one in (*found.get("Versions", []), *found.get("DeleteMarkers", [])):
                self.client("s3").delete_object(Bucket=prior["id"], Key=one["Key"], VersionId=one["VersionId"])
        self.client("s3").delete_bucket(Bucket=prior["id"])

    def look_up(self, kind: str) -> dict[str, Any]:
        """Look up what a data source finds."""
        if kind == "aws_availability_zones":
            zones = self.client("ec2").describe_availability_zones()["AvailabilityZones"]
            return {"names": [zone["ZoneName"] for zone in zones], "id": self.region}
        return {"account_id": self.account} if kind == "aws_caller_identity" else {}


@makes("aws_kms_key")
def _key(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("kms").create_key(**given(Description=v["description"], Policy=v["policy"]))["KeyMetadata"]
    if v["enable_key_rotation"]:
        aws.client("kms").enable_key_rotation(KeyId=made["KeyId"])
    return {"id": made["KeyId"], "key_id": made["KeyId"], "arn": made["Arn"]}


@makes("aws_kms_alias")
def _alias(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("kms").create_alias(AliasName=v["name"], TargetKeyId=v["target_key_id"])
    return {"id": v["name"]}


@makes("aws_s3_bucket")
def _bucket(aws: Maker, v: Values) -> dict[str, Any]:
    name = v["bucket"]
    where = {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    aws.client("s3").create_bucket(Bucket=name, **where)
    return {"id": name, "arn": f"arn:aws:s3:::{name}"}


@makes("aws_s3_bucket_public_access_block")
def _public(aws: Maker, v: Values) -> dict[str, Any]:
    names = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    snake = {name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_") for name in names}
    settings = {name: bool(v[snake[name]]) for name in names}
    aws.client("s3").put_public_access_block(Bucket=v["bucket"], PublicAccessBlockConfiguration=settings)
    return {"id": v["bucket"]}


@makes("aws_s3_bucket_policy")
def _bucket_policy(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("s3").put_bucket_policy(Bucket=v["bucket"], Policy=v["policy"])
    return {"id": v["bucket"]}


@makes("aws_s3_bucket_ownership_controls")
def _ownership(aws: Maker, v: Values) -> dict[str, Any]:
    rules = [{"ObjectOwnership": rule["object_ownership"]} for rule in v["rule"]]
    aws.client("s3").put_bucket_ownership_controls(Bucket=v["bucket"], OwnershipControls={"Rules": rules})
    return {"id": v["bucket"]}


@makes("aws_s3_bucket_versioning")
def _versioning(aws: Maker, v: Values) -> dict[str, Any]:
    status = only(v["versioning_configuration"])["status"]
    aws.client("s3").put_bucket_versioning(Bucket=v["bucket"], VersioningConfiguration={"Status": status})
    return {"id": v["bucket"]}


@makes("aws_s3_bucket_server_side_encryption_configuration")
def _encryption(aws: Maker, v: Values) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    for rule in v["rule"]:
        default = only(rule["apply_server_side_encryption_by_default"])
        chosen = given(SSEAlgorithm=default["sse_algorithm"], KMSMasterKeyID=default["kms_master_key_id"])
        rules.append(given(BucketKeyEnabled=rule["bucket_key_enabled"], ApplyServerSideEncryptionByDefault=chosen))
    aws.client("s3").put_bucket_encryption(Bucket=v["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})
    return {"id": v["bucket"]}


@makes("aws_s3_bucket_lifecycle_configuration")
def _lifecycle(aws: Maker, v: Values) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    for rule in v["rule"]:
        expires = only(rule["expiration"]).get("days")
        old = only(rule["noncurrent_version_expiration"]).get("noncurrent_days")
        parts = only(rule["abort_incomplete_multipart_upload"]).get("days_after_initiation")
        rules.append(
            {"ID": rule["id"], "Status": rule["status"], "Filter": {"Prefix": ""}}
            | ({"Expiration": {"Days": expires}} if expires else {})
            | ({"NoncurrentVersionExpiration": {"NoncurrentDays": old}} if old else {})
            | ({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": parts}} if parts else {})
        )
    aws.client("s3").put_bucket_lifecycle_configuration(Bucket=v["bucket"], LifecycleConfiguration={"Rules": rules})
    return {"id": v["bucket"]}


@makes("aws_cloudtrail")
def _trail(aws: Maker, v: Values) -> dict[str, Any]:
    client = aws.client("cloudtrail")
    made = client.create_trail(
        **given(
            Name=v["name"],
            S3BucketName=v["s3_bucket_name"],
            KmsKeyId=v["kms_key_id"],
            IsMultiRegionTrail=v["is_multi_region_trail"],
            IncludeGlobalServiceEvents=v["include_global_service_events"],
            EnableLogFileValidation=v["enable_log_file_validation"],
        )
    )
    selectors = [
        {
            "Name": one["name"],
            "FieldSelectors": [
                given(
                    Field=field["field"],
                    Equals=field["equals"],
                    StartsWith=field["starts_with"],
                    NotStartsWith=field["not_starts_with"],
                )
                for field in one["field_selector"]
            ],
        }
        for one in v["advanced_event_selector"]
    ]
    client.put_event_selectors(TrailName=v["name"], AdvancedEventSelectors=selectors)
    client.start_logging(Name=v["name"])
    return {"id": made["TrailARN"], "arn": made["TrailARN"], "home_region": aws.region}


@makes("aws_iam_policy")
def _policy(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("iam").create_policy(PolicyName=v["name"], PolicyDocument=v["policy"])["Policy"]
    return {"id": made["Arn"], "arn": made["Arn"], "policy_id": made["PolicyId"]}


@makes("aws_iam_role")
def _role(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("iam").create_role(
        **given(
            RoleName=v["name"],
            AssumeRolePolicyDocument=v["assume_role_policy"],
            MaxSessionDuration=v["max_session_duration"],
            PermissionsBoundary=v["permissions_boundary"],
        )
    )["Role"]
    return {"id": made["RoleName"], "arn": made["Arn"], "unique_id": made["RoleId"]}


@makes("aws_iam_role_policy")
def _role_policy(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("iam").put_role_policy(RoleName=v["role"], PolicyName=v["name"], PolicyDocument=v["policy"])
    return {"id": f"{v['role']}:{v['name']}"}


@makes("aws_dynamodb_table")
def _table(aws: Maker, v: Values) -> dict[str, Any]:
    client = aws.client("dynamodb")
    keys = [(v["hash_key"], "HASH"), (v["range_key"], "RANGE")]
    sse = only(v["server_side_encryption"])
    stream = {"StreamEnabled": True, "StreamViewType": v["stream_view_type"]} if v["stream_enabled"] else {}
    made = client.create_table(
        **given(
            TableName=v["name"],
            BillingMode=v["billing_mode"],
            KeySchema=[{"AttributeName": name, "KeyType": role} for name, role in keys if name],
            AttributeDefinitions=[{"AttributeName": a["name"], "AttributeType": a["type"]} for a in v["attribute"]],
            DeletionProtectionEnabled=v["deletion_protection_enabled"],
            SSESpecification={"Enabled": sse["enabled"], "SSEType": "KMS", "KMSMasterKeyId": sse["kms_key_arn"]},
            StreamSpecification=stream,
        )
    )["TableDescription"]
    ttl = only(v["ttl"])
    if ttl:
        wanted = {"Enabled": ttl["enabled"], "AttributeName": ttl["attribute_name"]}
        client.update_time_to_live(TableName=v["name"], TimeToLiveSpecification=wanted)
    recovery = {"PointInTimeRecoveryEnabled": bool(only(v["point_in_time_recovery"]).get("enabled"))}
    client.update_continuous_backups(TableName=v["name"], PointInTimeRecoverySpecification=recovery)
    stream_arn, label = made.get("LatestStreamArn", ""), made.get("LatestStreamLabel", "")
    return {"id": v["name"], "arn": made["TableArn"], "stream_arn": stream_arn, "stream_label": label}


@makes("aws_vpc")
def _vpc(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").create_vpc(CidrBlock=v["cidr_block"])["Vpc"]["VpcId"]
    for name, attribute in (("enable_dns_support", "EnableDnsSupport"), ("enable_dns_hostnames", "EnableDnsHostnames")):
        aws.client("ec2").modify_vpc_attribute(VpcId=made, **{attribute: {"Value": bool(v[name])}})
    return {"id": made}


@makes("aws_default_security_group")
def _default_group(aws: Maker, v: Values) -> dict[str, Any]:
    groups = aws.client("ec2").describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [v["vpc_id"]]}])
    return {"id": groups["SecurityGroups"][0]["GroupId"]}


@makes("aws_subnet")
def _subnet(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").create_subnet(
        VpcId=v["vpc_id"], CidrBlock=v["cidr_block"], AvailabilityZone=v["availability_zone"]
    )["Subnet"]
    return {"id": made["SubnetId"], "arn": made["SubnetArn"]}


@makes("aws_internet_gateway")
def _gateway(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    aws.client("ec2").attach_internet_gateway(InternetGatewayId=made, VpcId=v["vpc_id"])
    return {"id": made}


@makes("aws_route_table")
def _route_table(aws: Maker, v: Values) -> dict[str, Any]:
    return {"id": aws.client("ec2").create_route_table(VpcId=v["vpc_id"])["RouteTable"]["RouteTableId"]}


@makes("aws_route")
def _route(aws: Maker, v: Values) -> dict[str, Any]:
    aws.client("ec2").create_route(
        **given(
            RouteTableId=v["route_table_id"],
            DestinationCidrBlock=v["destination_cidr_block"],
            NatGatewayId=v["nat_gateway_id"],
            GatewayId=v["gateway_id"],
        )
    )
    return {"id": f"r-{v['route_table_id']}"}


@makes("aws_eip")
def _address(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").allocate_address(Domain=v["domain"])
    return {"id": made["AllocationId"], "allocation_id": made["AllocationId"], "public_ip": made["PublicIp"]}


@makes("aws_nat_gateway")
def _nat(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").create_nat_gateway(SubnetId=v["subnet_id"], AllocationId=v["allocation_id"])
    return {"id": made["NatGateway"]["NatGatewayId"]}


@makes("aws_route_table_association")
def _association(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").associate_route_table(SubnetId=v["subnet_id"], RouteTableId=v["route_table_id"])
    return {"id": made["AssociationId"]}


@makes("aws_vpc_endpoint")
def _endpoint(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").create_vpc_endpoint(
        **given(
            VpcId=v["vpc_id"],
            ServiceName=v["service_name"],
            VpcEndpointType=v["vpc_endpoint_type"],
            RouteTableIds=v["route_table_ids"],
            SubnetIds=v["subnet_ids"],
            SecurityGroupIds=v["security_group_ids"],
            PrivateDnsEnabled=v["private_dns_enabled"],
        )
    )["VpcEndpoint"]
    return {"id": made["VpcEndpointId"], "prefix_list_id": f"pl-{made['VpcEndpointId'][-8:]}"}


@makes("aws_security_group")
def _group(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").create_security_group(GroupName=v["name"], Description=v["description"], VpcId=v["vpc_id"])
    return {"id": made["GroupId"]}


def _permission(v: Values) -> list[dict[str, Any]]:
    permission = given(IpProtocol=v["ip_protocol"], FromPort=v["from_port"], ToPort=v["to_port"])
    for name, outer, inner in (
        ("cidr_ipv4", "IpRanges", "CidrIp"),
        ("prefix_list_id", "PrefixListIds", "PrefixListId"),
        ("referenced_security_group_id", "UserIdGroupPairs", "GroupId"),
    ):
        if v[name]:
            permission[outer] = [{inner: v[name]}]
    return [permission]


@makes("aws_vpc_security_group_ingress_rule")
def _ingress(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").authorize_security_group_ingress(
        GroupId=v["security_group_id"], IpPermissions=_permission(v)
    )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    return {"id": made, "security_group_rule_id": made}


@makes("aws_vpc_security_group_egress_rule")
def _egress(aws: Maker, v: Values) -> dict[str, Any]:
    made = aws.client("ec2").authorize_security_group_egress(
        GroupId=v["security_group_id"], IpPermissions=_permission(v)
    )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    return {"id": made, "security_group_rule_id": made}
