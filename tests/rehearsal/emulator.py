#!/usr/bin/env python3
"""ministack, which stands for AWS in the rehearsal, with the gaps closed that the rehearsal meets.

Configured by environment variables as ministack itself; with AUTH=true it judges each request by the
policies of whoever signed it, as AWS does.
"""

import json
import re
from email.utils import parseaddr
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator
from ministack.services import cloudformation, secretsmanager
from ministack.services.cloudformation import provisioners

LEADING_KEYS = "dynamodb:LeadingKeys"
FROM_ADDRESS = "ses:FromAddress"
PARTITION_KEYS = re.compile(r"(gsi\d+)?pk")
NAMES_KEYS = ("Key", "Item", "RequestItems", "KeyConditionExpression")
MEMBERS = ("Key", "Item")
# CloudWatch, "Quotas": metrics in one alarm.
MAX_METRICS = 10


def close_gap_in_nested_updates() -> None:
    """An update of a nested stack forgets the attributes of resources that stay as they are."""
    update = provisioners._update_resource

    def patched(resource_type, physical_id, old_props, new_props, stack_name, logical_id=None, old_attrs=None):
        if old_attrs is None:
            resources = (cloudformation._stacks.get(stack_name) or {}).get("_resources", {})
            old_attrs = resources.get(logical_id, {}).get("Attributes")
        return update(resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs)

    provisioners._update_resource = patched


def text_of(value: object) -> str | None:
    return value.get("S") if isinstance(value, dict) else None


def leading_keys(request: dict) -> list[str]:
    """The partition keys that a request names, one or several."""
    found = [text_of(request[member].get("pk")) for member in MEMBERS if isinstance(request.get(member), dict)]
    for elements in (request.get("RequestItems") or {}).values():
        if isinstance(elements, dict):
            found += [text_of(key.get("pk")) for key in elements.get("Keys", [])]
        else:
            found += [key for element in elements for inner in element.values() for key in leading_keys(inner)]
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", request.get("KeyConditionExpression") or ""):
        if PARTITION_KEYS.fullmatch(names.get(name, name)):
            found.append(text_of(values.get(value)))
    return [key for key in found if key is not None]


class DescribedArn(str):
    """What a right is asked for, with what a condition may ask of the request: the keys of one element of a transaction; the sender of a mail."""

    context: dict[str, str | list[str]]


def described(arn: str, key: str, value: str | list[str]) -> DescribedArn:
    arn = DescribedArn(arn)
    arn.context = {key: value}
    return arn


def close_gap_in_conditions() -> None:
    """
    `dynamodb:LeadingKeys` is no condition that it knows: each request has it for its keys, and each element of a
    transaction for its own. A mail has the right to its sender asked for, which SES knows here by its domain.
    """
    context, checks, arn_of, enforce = (
        iam_actions.dynamodb_service_context,
        iam_actions.dynamodb_transaction_checks,
        iam_actions.extract_resource_arn,
        iam_evaluator.enforce,
    )

    def parsed(body: bytes) -> dict:
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            return {}
        return request if isinstance(request, dict) else {}

    def patched_context(body):
        request = parsed(body)
        keys = leading_keys(request)
        if not keys and any(name in request for name in NAMES_KEYS):
            # Without keys, `ForAllValues` would allow it.
            keys = ["a key that the emulator could not read"]
        return {**context(body), **({LEADING_KEYS: keys} if keys else {})}

    def patched_checks(iam_action, body, region, account_id):
        found = checks(iam_action, body, region, account_id)
        elements = [inner for item in parsed(body).get("TransactItems", []) for inner in item.values()]
        keyed = []
        for (action, arn), element in zip(found, elements, strict=True) if found else ():
            keys = leading_keys(element) or ["a key that the emulator could not read"]
            keyed.append((action, described(arn, LEADING_KEYS, keys)))
        return keyed

    def patched_arn_of(service, method, path, headers, body, query_params, region, account_id):
        form = parse_qs((body or b"").decode("utf-8", "replace")) if service == "ses" else {}
        if form.get("Action") == ["SendEmail"]:
            sender = parseaddr(form.get("Source", [""])[0])[1]
            arn = f"arn:aws:ses:{region}:{account_id}:identity/{sender.partition('@')[2]}"
            return described(arn, FROM_ADDRESS, sender)
        return arn_of(service, method, path, headers, body, query_params, region, account_id)

    def patched_enforce(access_key, action, service, region, *, resource_arn="*", service_context=None, **rest):
        # The bootstrap's bucket refuses plain HTTP, which on this machine stands for TLS.
        iam_evaluator._request_origin.set(("127.0.0.1", True))
        if isinstance(resource_arn, DescribedArn):
            service_context = {**(service_context or {}), **resource_arn.context}
        return enforce(
            access_key, action, service, region, resource_arn=resource_arn, service_context=service_context, **rest
        )

    iam_actions.dynamodb_service_context = patched_context
    iam_actions.dynamodb_transaction_checks = patched_checks
    iam_actions.extract_resource_arn = patched_arn_of
    iam_evaluator.enforce = patched_enforce


def close_gap_in_alarms() -> None:
    """An alarm on a sum of metrics is refused: here its form is checked, and it looks at the first of them."""
    record = provisioners._cw_metric_alarm_record

    def patched(name, props):
        metrics = props.get("Metrics")
        if metrics:
            sources = {metric["Id"]: metric["MetricStat"] for metric in metrics if "MetricStat" in metric}
            sums = [metric["Expression"] for metric in metrics if metric.get("ReturnData", True)]
            if len(sums) != 1 or set(re.findall(r"\bm\d+\b", sums[0])) != set(sources) or len(sources) > MAX_METRICS:
                raise ValueError(f"{name} is not one expression over all of its metrics, at most {MAX_METRICS}")
            first = next(iter(sources.values()))
            looked_at = {"Statistic": first["Stat"], "Period": first["Period"], **first["Metric"]}
            props = {key: value for key, value in props.items() if key != "Metrics"} | looked_at
        return record(name, props)

    provisioners._cw_metric_alarm_record = patched


def close_gap_in_references_to_secrets() -> None:
    """`Ref` of a secret is its name, and not its ARN."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def name_of(arn: str) -> str:
        return next((name for name, secret in provisioners._sm._secrets.items() if secret["ARN"] == arn), arn)

    def by_arn(made):
        _, attributes = made
        return attributes["Arn"], attributes

    handlers["create"] = lambda *arguments: by_arn(create(*arguments))
    handlers["update"] = lambda arn, *arguments: by_arn(update(name_of(arn), *arguments))
    handlers["delete"] = lambda arn, properties: delete(name_of(arn), properties)


def close_gap_in_versions_of_secrets() -> None:
    """The first version of a secret is not called as was asked for, and a label of another one stays where it was as well."""
    create, put = secretsmanager._create_secret, secretsmanager._put_secret_value

    def patched_create(asked):
        answer = create(asked)
        secret = secretsmanager._secrets.get(asked.get("Name"))
        if answer[0] == 200 and asked.get("ClientRequestToken"):
            [version] = secret["Versions"].values()
            secret["Versions"] = {asked["ClientRequestToken"]: version}
        return answer

    def patched_put(asked):
        _, secret = secretsmanager._resolve(asked.get("SecretId"))
        for label in asked.get("VersionStages", []) if secret else []:
            if label != "AWSCURRENT":
                secretsmanager._remove_stage_everywhere(secret, label)
        return put(asked)

    secretsmanager._create_secret, secretsmanager._put_secret_value = patched_create, patched_put


if __name__ == "__main__":
    close_gap_in_versions_of_secrets()
    close_gap_in_references_to_secrets()
    close_gap_in_alarms()
    close_gap_in_nested_updates()
    close_gap_in_conditions()
    from ministack.app import main

    main()
