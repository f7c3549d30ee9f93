"""A large configuration, the same one every time: about 450 bytes of YAML per setting."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

RESTAURANT_ID = "0b9f2a4e-6d0c-4f5b-9a3e-5c1d7e8f9a01"
PER_FILE = 1_000
_SHARES = {
    "staff_groups": 15,
    "daily_limits": 25,
    "monthly_limits": 20,
    "priority_rules": 35,
    "ml_model_configs": 5,
}
_STATIONS = (
    "Kitchen",
    "Grill",
    "Sashimi",
    "Tempura",
    "Simmering",
    "Noodles",
    "Floor",
    "Counter",
    "Bar",
    "Terrace",
)
_PEOPLE = ("料理長", "井関", "与儀", "カマル", "高野", "派遣スタッフ", "Sato", "Kováč", "O'Neill", "Nguyễn")
_SHIFTS = ("early", "late", "off", "night", "split")
_WHY = (
    "Somebody who knows the house has to unlock it in the morning",
    "Agreed with the works council in spring; talk to them before it is changed",
    "The market delivers on these days and the cold room must be checked by two people",
    "Exams come first; the university's calendar says when they are",
    "Otherwise the last train is missed, and the taxi is on the house",
)


def write(directory: Path, count: int) -> None:
    """Write a config directory with ``count`` settings in one restaurant, in files of up to 1,000."""
    restaurant = directory / "izakaya"
    restaurant.mkdir(parents=True)
    header = f"id: {RESTAURANT_ID}\nname: Izakaya\ntimezone: Asia/Tokyo\n"
    (restaurant / "restaurant.yaml").write_text(header, "utf-8")
    total = sum(_SHARES.values())
    groups = count * _SHARES["staff_groups"] // total
    for kind, share in _SHARES.items():
        number = count * share // total
        folder = restaurant / kind
        folder.mkdir()
        for start in range(0, number, PER_FILE):
            entries = [_ENTRIES[kind](index, groups) for index in range(start, min(start + PER_FILE, number))]
            text = f"{kind}:\n" + "\n".join(entries)
            (folder / f"part-{start // PER_FILE:03}.yaml").write_text(text, "utf-8")


def change_one(directory: Path) -> None:
    """Give one setting of a restaurant another value: the last penalty weight in its last file."""
    files = [file for file in sorted(directory.rglob("*.yaml")) if not file.parts[-2].startswith("_")]
    for file in reversed(files):
        text = file.read_text("utf-8")
        found = list(re.finditer(r"penalty_weight: (\d+)\b", text))
        if found:
            at = found[-1]
            file.write_text(f"{text[: at.start(1)]}{int(at[1]) + 1}{text[at.end(1) :]}", "utf-8")
            return
    raise ValueError("nothing there to change")


def _group_name(index: int) -> str:
    return f"{_STATIONS[index % len(_STATIONS)]} team {index:05}"


def _person(group: int, which: int) -> str:
    return f"{_PEOPLE[(group + which) % len(_PEOPLE)]} {group:05}-{which}"


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def _days(pick: random.Random) -> str:
    return ", ".join(str(day) for day in sorted(pick.sample(range(7), 4)))


def _staff_group(index: int, _: int) -> str:
    pick = random.Random(f"group {index}")
    members = "".join(f"        - {_person(index, which)}\n" for which in range(6))
    return (
        _lines(
            f"  - name: {_group_name(index)}",
            f"    description: {pick.choice(_WHY)}",
            f'    color: "#{pick.randrange(0x1000000):06X}"',
            "    group_config:",
            "      members:",
        )
        + members
        + _lines(
            f"      coverage: {{minimum: {pick.randint(1, 3)}, desired: {pick.randint(3, 5)}}}",
            f"      location: {pick.choice(('ground floor', 'first floor', 'annex'))}",
            f"    is_active: {pick.choice(('true', 'true', 'true', 'false'))}",
        )
    )


def _limit(name: str, pick: random.Random, groups: int, *lines: str) -> str:
    first, second = (_group_name(pick.randrange(groups)) for _ in range(2))
    return _lines(
        f"  # {pick.choice(_WHY)}",
        f"  - name: {name}",
        "    limit_config:",
        *lines,
        f"      maxCount: {pick.randint(2, 9)}",
        f"      minCount: {pick.choice(('0', '1', '1.5'))}",
        f"      scope: {pick.choice(('all', 'individual'))}",
        "      targetIds:",
        f"        - {first}",
        f"        - {second}",
        "      distributionRules:",
        f"        maxConsecutive: {pick.randint(2, 6)}",
        f"        preferWeekends: {pick.choice(('true', 'false'))}",
        f"    penalty_weight: {pick.randint(1, 99)}",
        f"    is_hard_constraint: {pick.choice(('true', 'false'))}",
        f"    effective_from: 2026-{pick.randint(1, 6):02}-{pick.randint(1, 28):02}",
        f"    effective_until: 2026-{pick.randint(7, 12):02}-{pick.randint(1, 28):02}",
    )


def _daily_limit(index: int, groups: int) -> str:
    pick = random.Random(f"daily {index}")
    shift = pick.choice(_SHIFTS)
    days = f"      daysOfWeek: [{_days(pick)}]"
    return _limit(f"Most on the {shift} shift {index:05}", pick, groups, f"      shiftType: {shift}", days)


def _monthly_limit(index: int, groups: int) -> str:
    pick = random.Random(f"monthly {index}")
    return _limit(f"Days off in a month {index:05}", pick, groups, "      limitType: max_off_days")


def _priority_rule(index: int, groups: int) -> str:
    pick = random.Random(f"rule {index}")
    group = pick.randrange(groups)
    return _lines(
        f"  - name: {pick.choice(_PEOPLE)} prefers {pick.choice(_SHIFTS)} {index:05}",
        f"    description: {pick.choice(_WHY)}",
        f"    priority_level: {pick.randint(1, 5)}",
        "    rule_definition:",
        f"      ruleType: {pick.choice(('required_off', 'preferred_shift', 'avoid_shift'))}",
        f"      staffId: {_person(group, pick.randrange(6))}",
        f"      groupId: {_group_name(group)}",
        f"      shiftType: {pick.choice(_SHIFTS)}",
        f"      daysOfWeek: [{_days(pick)}]",
        "    rule_config:",
        f"      preferenceStrength: 0.{pick.randint(1, 9)}",
        f"    penalty_weight: {pick.randint(1, 99)}",
        f"    is_hard_constraint: {pick.choice(('true', 'false'))}",
        "    effective_from: 2026-04-01",
    )


def _ml_model(index: int, _: int) -> str:
    pick = random.Random(f"model {index}")
    return _lines(
        f"  - model_name: genetic algorithm {index:05}",
        "    model_type: genetic_algorithm",
        "    parameters:",
        f"      populationSize: {pick.randint(50, 400)}",
        f"      generations: {pick.randint(100, 900)}",
        f"      mutationRate: 0.{pick.randint(1, 30):02}",
        f"      crossoverRate: 0.{pick.randint(50, 99)}",
        f"      elitismRate: 0.{pick.randint(1, 20):02}",
        "      convergenceThreshold: 0.001",
        f"      maxRuntime: {pick.randint(60, 600)}",
        "      enableAdaptiveMutation: true",
        f"      targetAccuracy: 0.{pick.randint(80, 99)}",
        "    model_config:",
        f"      seed: {pick.randrange(10**9)}",
        f"      notes: {pick.choice(_WHY)}",
        f"    confidence_threshold: 0.{pick.randint(50, 95)}",
    )


_ENTRIES: dict[str, Callable[[int, int], str]] = {
    "staff_groups": _staff_group,
    "daily_limits": _daily_limit,
    "monthly_limits": _monthly_limit,
    "priority_rules": _priority_rule,
    "ml_model_configs": _ml_model,
}


def size(directory: Path) -> int:
    """How many bytes of YAML a config directory has."""
    return sum(file.stat().st_size for file in _files(directory))


def _files(directory: Path) -> Iterator[Path]:
    return directory.rglob("*.yaml")
