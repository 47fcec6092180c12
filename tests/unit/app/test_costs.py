"""The bill: prices with date and source, postures within their bars, plans as they stand, and docs/cost.md is true."""

import json
import re
import subprocess
import sys
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from guide import run_guide
from interlayer.app.cost.models import ANSWER_TOKENS, PROMPT_TOKENS
from interlayer.app.cost.postures import POSTURES, posture_lines
from interlayer.app.cost.prices import Line, read_prices, sums
from interlayer.app.cost.terraform_plan import price_plans
from interlayer.errors import InvalidInput
from interlayer.main import cli

PRICES = read_prices()
PAGE = Path(__file__).parents[3] / "docs" / "cost.md"
PLAN = Path(__file__).parents[2] / "support" / "plan.json"
"""Of terraform 1.11.4 and hashicorp/aws 5.100.0, cut down to the arguments that matter."""


def bill(posture: str, calls: int = 50_000) -> list[Line]:
    return posture_lines(POSTURES[posture], PRICES, calls)


def part(posture: str, *words: str) -> float:
    return sum(line.usd for line in bill(posture) if any(word in line.item for word in words))


def said(*arguments: str) -> Any:
    done = CliRunner().invoke(cli, ["cost", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def plan(tmp_path: Path, **changed: Any) -> Path:
    data = json.loads(PLAN.read_text(encoding="utf-8"))
    for one in data["resource_changes"]:
        one["change"].update(changed.get(one["type"], {}))
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def test_every_price_has_a_unit_a_date_and_a_source_and_is_used() -> None:
    for name, price in PRICES.table.items():
        assert price.usd > 0, name
        assert price.unit, name
        assert "https://" in price.source or "AWS Pricing API" in price.source, name
        assert price.dated <= PRICES.dated, name
    listed = {one for names in PRICES.by_use.values() for one in names}
    assert listed <= set(PRICES.table)
    text = "".join(
        (resources.files("interlayer.app.cost") / name).read_text(encoding="utf-8")
        for name in ("postures.py", "terraform_plan.py")
    )
    assert [name for name in PRICES.table if name not in listed and name not in text and "fargate" not in name] == []


@pytest.mark.parametrize(("posture", "most"), [("starter", 25.99), ("default", 59.99), ("highly-available", 100.0)])
def test_a_posture_costs_no_more_than_its_bar(posture: str, most: float) -> None:
    assert sums(bill(posture))[-1] <= most


def test_the_parts_of_a_bill_are_what_they_are_by_hand() -> None:
    assert part("starter", "Fargate") == pytest.approx(730 * (0.25 * 0.03238 + 0.5 * 0.00356))
    assert part("highly-available", "Fargate") == pytest.approx(2 * part("default", "Fargate"))
    assert part("default", "Load balancer", "LCU", "Its public addresses") == pytest.approx(24.90, abs=0.01)
    assert part("private", "NAT", "Its public address", "Its traffic") == pytest.approx(36.73, abs=0.01)
    assert part("isolated-two-zones", "endpoints", "Their traffic") == pytest.approx(73.05)
    # What a task reads of the policies, one of 13 requests and what an idle server asks each second, is not logged.
    assert part("default", "calls of tables") == pytest.approx((50_000 * 12 + 200_000) / 100_000 * 0.10)


def test_the_load_is_what_was_counted_on_the_wire() -> None:
    counted = PAGE.with_name("dynamodb.md").read_text(encoding="utf-8")
    calls = ("`memorize`, a note of 500 words", "`recall_entity`", "`get_governance_context` with an entity")
    rows = [re.search(rf"^\| {re.escape(call)} \| (\d+) \| (\d+) \| (\d+) \|", counted, re.MULTILINE) for call in calls]
    requests, reads, writes = (sum(int(row[place]) for row in rows if row) for place in (1, 2, 3))
    none, million = ({line.item: line.quantity for line in bill("default", calls)} for calls in (0, 1_000_000))
    assert million["DynamoDB, writes"] == pytest.approx(writes)
    assert million["DynamoDB, reads"] - none["DynamoDB, reads"] == pytest.approx(reads)
    events = million["CloudTrail, calls of tables"] - none["CloudTrail, calls of tables"]
    assert events * 100_000 == pytest.approx((requests - 1) * 1_000_000)  # the head of the policies is not logged
    assert f"{none['DynamoDB, reads']:.1f} million read" in counted.replace("\n", " ")


@given(st.sampled_from(sorted(POSTURES)), st.integers(0, 10**7), st.integers(0, 10**7))
def test_calls_move_only_what_is_paid_by_use(posture: str, few: int, more: int) -> None:
    few, more = sorted((few, more))
    low, high = sums(bill(posture, few)), sums(bill(posture, more))
    assert low[0] == pytest.approx(high[0])
    assert low[1] <= high[1]
    assert high[-1] == pytest.approx(sum(line.usd for line in bill(posture, more)))


@pytest.mark.parametrize("free", [("--model", "none"), ("--embedder", "local"), ("--embedder", "fastembed/any")])
def test_what_runs_without_a_provider_adds_nothing(free: tuple[str, str]) -> None:
    assert said("--posture", "starter", *free) == said("--posture", "starter")


def test_a_plan_is_priced_as_it_stands() -> None:
    found = price_plans([PLAN], PRICES)
    hours = {
        "aws_vpc_endpoint.interface": 2 * 3 * 730 * 0.01,  # in the three subnets that the argument refers to
        "aws_nat_gateway": 730 * 0.045,
        "aws_eip": 730 * 0.005,
        "aws_lb": 730 * (0.0225 + 2 * 0.005),  # two public subnets
        "aws_ecs_service": 2 * 730 * (0.5 * 0.03238 + 0.00356 + 0.005),
        "aws_kms_key": 1.0,
        "aws_secretsmanager_secret": 0.4,
    }
    for name, usd in hours.items():
        assert sum(line.usd for line in found.lines if name in line.item) == pytest.approx(usd), name
    assert sums(found.lines)[-1] == pytest.approx(sum(hours.values()))
    assert found.unknown == {"aws_instance": 1}
    assert found.by_use["aws_dynamodb_table"] == 3
    assert found.by_use["aws_vpc_endpoint"] == 2  # the third is a gateway, which is free


def test_plans_add_up_and_what_is_taken_away_costs_nothing(tmp_path: Path) -> None:
    once, twice = price_plans([PLAN], PRICES), price_plans([PLAN, PLAN], PRICES)
    assert sums(twice.lines)[-1] == pytest.approx(2 * sums(once.lines)[-1])
    gone = price_plans([plan(tmp_path, aws_nat_gateway={"actions": ["delete"], "after": None})], PRICES)
    assert sums(once.lines)[-1] - sums(gone.lines)[-1] == pytest.approx(730 * 0.045)
    stays = price_plans([plan(tmp_path, aws_kms_key={"actions": ["no-op"]})], PRICES)
    assert sums(stays.lines) == pytest.approx(sums(once.lines))


def test_an_internal_load_balancer_has_no_public_addresses(tmp_path: Path) -> None:
    found = price_plans([plan(tmp_path, aws_lb={"after": {"internal": True}})], PRICES)
    assert [line.usd for line in found.lines if "aws_lb" in line.item] == [pytest.approx(730 * 0.0225)]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"resource_changes": [1]}', '{"resource_changes": 1}'])
def test_what_is_no_plan_is_refused_with_the_command_that_makes_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="terraform show -json"):
        price_plans([file], PRICES)


def test_a_service_without_its_task_definition_is_not_half_priced(tmp_path: Path) -> None:
    gone = plan(tmp_path, aws_ecs_task_definition={"after": None})
    with pytest.raises(InvalidInput, match=r"module\.service\.aws_ecs_service\.this"):
        price_plans([gone], PRICES)


def test_an_unknown_posture_is_refused_with_those_there_are() -> None:
    done = CliRunner().invoke(cli, ["cost", "--posture", "cheap"])
    assert done.exit_code == 1
    assert "starter" in done.output


@pytest.mark.timeout(180)  # importing litellm, on a machine that may be busy
def test_a_model_costs_what_the_bundled_list_says() -> None:
    package = find_spec("litellm")  # importing it here would ask the network for newer prices
    assert package is not None
    assert package.origin is not None
    bundled = Path(package.origin).with_name("model_prices_and_context_window_backup.json")
    listed = json.loads(bundled.read_text(encoding="utf-8"))
    found = said(
        "--posture",
        "starter",
        "--calls",
        "1000",
        "--model",
        "openai/gpt-5-mini",
        "--embedder",
        "text-embedding-3-small",
    )
    chat, embedding = listed["gpt-5-mini"], listed["text-embedding-3-small"]
    prompts, answers, embedded = (line["usd"] for line in found["lines"][-3:])
    assert prompts == pytest.approx(1_000 * PROMPT_TOKENS * chat["input_cost_per_token"], abs=0.0051)
    assert answers == pytest.approx(1_000 * ANSWER_TOKENS * chat["output_cost_per_token"], abs=0.0051)
    assert embedded == pytest.approx(1_000 * 1_000 * embedding["input_cost_per_token"], abs=0.0051)
    assert found["total"] == pytest.approx(said("--posture", "starter", "--calls", "1000")["total"] + 2.045, abs=0.02)
    unknown = CliRunner().invoke(cli, ["cost", "--model", "hosted_vllm/ours"])
    assert unknown.exit_code == 1
    assert "machine" in unknown.output


def test_without_a_model_nothing_heavy_is_imported() -> None:
    code = "import sys; from interlayer.main import cli; cli(['cost'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"litellm", "numpy", "pydantic", "rich"} & {name.split(".")[0] for name in done.stdout.split()}


def test_the_page_shows_what_its_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = [*run_guide(PAGE.read_text(encoding="utf-8"), tmp_path)]
    assert len(shown) == 2
    for one in shown:
        assert one.documented == one.printed, one.command


def test_the_table_of_models_is_what_the_command_reckons() -> None:
    rows = re.findall(r"^\| `(--\w+) (\S+)` \| ([\d.]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 5
    for option, model, usd in rows:
        lines = said("--posture", "starter", "--calls", "1000", option, model)["lines"]
        assert f"{sum(line['usd'] for line in lines if model in line['item']):.2f}" == usd, model
