"""What a plan cannot do without, in one process: start, import, parse the YAML, select the rows.

``floor.py CONFIG_DIR URL``. Nothing is validated or compared, no value of a row is converted.
"""

import sys
from pathlib import Path

import click
import psycopg
import pydantic
import ryaml
from psycopg import sql
from psycopg.types.string import TextLoader

assert click, pydantic

directory, url = sys.argv[1:]
entries = 0
for file in sorted(Path(directory).rglob("*.yaml")):
    document = ryaml.loads(file.read_text("utf-8"))
    entries += sum(len(value) for value in document.values() if isinstance(value, list))
rows = 0
with psycopg.connect(url) as connection:
    for name in ("jsonb", "numeric", "uuid", "timestamptz", "date"):
        connection.adapters.register_loader(name, TextLoader)
    for table in ("staff_groups", "daily_limits", "monthly_limits", "priority_rules", "ml_model_configs"):
        statement = sql.SQL("SELECT * FROM {} WHERE until_version IS NULL").format(
            sql.Identifier("rowform", table)
        )
        rows += len(connection.execute(statement).fetchall())
sys.stdout.write(f"{entries} entries, {rows} rows\n")
