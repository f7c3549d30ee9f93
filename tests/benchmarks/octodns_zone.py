"""The peer: octoDNS planning a zone of A and TXT records, one of them changed.

The source is octoDNS's own YAML provider. As a target that one pretends to be empty, and every other
provider needs a network; so there are two targets here: the YAML provider without that pretence, and
the cheapest one there can be, which makes octoDNS's records of a JSON file.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

ZONE = "example.com."


def write(directory: Path, count: int) -> tuple[Path, Path]:
    """Write the zone and its present state; returns octoDNS's configurations for a YAML and a JSON target."""
    present = directory / "present"
    present.mkdir(parents=True)
    records = {f"host-{index:05}": _record(index) for index in range(count)}
    changed = f"host-{count - 2:05}"
    existing = {**records, changed: {**records[changed], "values": ["192.0.2.1"]}}
    (directory / f"{ZONE}yaml").write_text(_zone(records), "utf-8")
    (present / f"{ZONE}yaml").write_text(_zone(existing), "utf-8")
    (present / "zone.json").write_text(json.dumps(existing), "utf-8")
    module = "tests.benchmarks.octodns_zone"
    yaml_target = {"class": f"{module}.PresentYaml", "directory": str(present), "enforce_order": False}
    json_target = {"class": f"{module}.PresentJson", "file": str(present / "zone.json")}
    return (
        _configuration(directory, "yaml-target", yaml_target),
        _configuration(directory, "json-target", json_target),
    )


def _configuration(directory: Path, name: str, target: dict[str, Any]) -> Path:
    source = {
        "class": "octodns.provider.yaml.YamlProvider",
        "directory": str(directory),
        "enforce_order": False,
    }
    content = {
        "providers": {"config": source, "target": target},
        "zones": {ZONE: {"sources": ["config"], "targets": ["target"]}},
    }
    file = directory / f"{name}.json"  # JSON is YAML too
    file.write_text(json.dumps(content), "utf-8")
    return file


def _zone(records: dict[str, dict[str, Any]]) -> str:
    return "---\n" + "".join(_yaml(name, record) for name, record in records.items())


def _record(index: int) -> dict[str, Any]:
    if index % 2:
        return {"ttl": 300, "type": "TXT", "values": [f"v=check1 host={index:05} owner=kitchen"]}
    return {"ttl": 300, "type": "A", "values": [f"10.{index // 65536}.{index // 256 % 256}.{index % 256}"]}


def _yaml(name: str, record: dict[str, Any]) -> str:
    values = "".join(f"  - {value}\n" for value in record["values"])
    return f"{name}:\n  ttl: {record['ttl']}\n  type: {record['type']}\n  values:\n{values}"


try:
    from octodns.provider.base import BaseProvider
    from octodns.provider.yaml import YamlProvider
    from octodns.record import Record
except ImportError:  # `make bench` has it; the other benchmarks do without
    pass
else:

    class PresentYaml(YamlProvider):  # type: ignore[misc]
        """A target that reads its records from a zone file, as the source does."""

        def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> bool:
            return bool(super().populate(zone, target=False, lenient=lenient))

    class PresentJson(BaseProvider):  # type: ignore[misc]
        """A target that reads its records from a JSON file."""

        SUPPORTS_GEO = False
        SUPPORTS = frozenset({"A", "TXT"})

        def __init__(self, id: str, file: str) -> None:
            self.log = logging.getLogger(f"PresentJson[{id}]")
            super().__init__(id)
            self._file = Path(file)

        def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> bool:
            for name, data in json.loads(self._file.read_text("utf-8")).items():
                zone.add_record(Record.new(zone, name, data, source=self, lenient=lenient), lenient=lenient)
            return True
