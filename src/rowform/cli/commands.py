"""All commands by name: the module that has each one, and its one-line summary.

The summaries stand here so that ``rowform --help`` imports no command.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command is implemented (``module:attribute`` below ``rowform.cli``), and what it does."""

    place: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("init:init", "Start a configuration, or add a restaurant."),
    "validate": Entry("validate:validate", "Check the configuration, offline."),
    "fmt": Entry("fmt:fmt", "Bring the files into canonical layout."),
    "schema": Entry("schema:schema", "Write the JSON Schemas for editors."),
    "plan": Entry("plan:plan", "Show what an apply would change."),
    "apply": Entry("apply:apply", "Make the database match the configuration."),
    "history": Entry("history:history", "List the versions."),
    "show": Entry("show:show", "Print the content of a version, or a saved plan."),
    "diff": Entry("diff:diff", "Show what differs between two versions."),
    "log": Entry("log:log", "Show the audit trail."),
    "activate": Entry("activate:activate", "Make another version the active one."),
    "rollback": Entry("activate:rollback", "Go back to what the active version replaced."),
    "drift": Entry("drift:drift", "Show what direct writes have changed."),
    "pull": Entry("pull:pull", "Write what is live into the configuration."),
    "lock": Entry("lock:lock", "Freeze a version."),
    "unlock": Entry("lock:unlock", "Thaw a version."),
    "import": Entry("import_:import_", "Bring settings out of browsers into YAML."),
    "export": Entry("export:export", "Bring settings back into browsers, or into plain tables."),
    "serve": Entry("serve:serve", "Tell live clients of every new version."),
    "completion": Entry("completion:completion", "Print what completes commands in a shell."),
    "db": Entry("db:db", "Install rowform in a database, and look at it."),
}

DB_COMMANDS: dict[str, Entry] = {
    "upgrade": Entry("db:upgrade", "Create or upgrade the tables."),
    "status": Entry("db:status", "Tell what is there."),
    "protect": Entry("db_protect:protect", "Refuse direct writes to settings."),
    "unprotect": Entry("db_protect:unprotect", "Allow direct writes to settings again."),
    "remove": Entry("db_remove:remove", "Take rowform out; leave plain tables."),
    "purge": Entry("db_purge:purge", "Delete a restaurant and all its history."),
}
