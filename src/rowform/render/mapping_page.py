"""What an import found, as a page to send to the people whose settings they are: one file, no scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape as html_escape

from rowform.localstorage.mapping import Kept, Mapped
from rowform.localstorage.merge import Conflict
from rowform.localstorage.report import Outcome, name_of
from rowform.localstorage.settings import Setting
from rowform.render.mapping import (
    answers,
    cell,
    column_of,
    counts,
    relative,
    result_of,
    source_lines,
    summary_line,
)
from rowform.text import escape, pointer, quote, steps

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: #1f2937; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; margin-bottom: .25rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th { text-align: left; font-weight: 600; }
th, td { padding: .2rem .75rem .2rem 0; border-bottom: 1px solid #e5e7eb; vertical-align: top;
  overflow-wrap: anywhere; }
code { font: 13px/1.4 ui-monospace, monospace; } .quiet { color: #6b7280; font-weight: 400; }
.bad { background: #fef2f2; border-left: 4px solid #dc2626; padding: .5rem 1rem; }
@media (max-width: 40rem) { code { font-size: 11px; } }
@media (prefers-color-scheme: dark) {
  body { background: #111827; color: #e5e7eb; } th, td { border-color: #374151; }
  .bad { background: #450a0a; } .quiet { color: #9ca3af; }
}
""".strip()


def mapping_page(outcome: Outcome) -> str:
    """The report as HTML, complete in itself."""
    title = f"Settings of {_h(outcome.slug)}"
    body = [
        f"<h1>{title}</h1>",
        f"<p>{_h(summary_line(outcome))} {_h(counts(outcome))}.</p>",
    ]
    if outcome.merged and outcome.merged.conflicts:
        body.append("<h2>Where copies disagree</h2>")
        for conflict in outcome.merged.conflicts:
            body += _conflict(conflict)
    if outcome.dangling:
        rows = [
            (one.file, pointer(one.path), f"{quote(one.name)} is no {one.what}") for one in outcome.dangling
        ]
        body += ["<h2>References that lead nowhere</h2>", *_table(("File", "Where", "What"), rows)]
    body += [line for copy in outcome.copies for line in _copy(copy)]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
            f"<title>{title}</title>",
            f"<style>\n{_STYLE}\n</style></head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def _h(text: object) -> str:
    return html_escape(escape(str(text)))


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"<table><tr>{''.join(f'<th>{_h(one)}</th>' for one in heading)}</tr>"
    for row in rows:
        yield f"<tr>{''.join(f'<td><code>{_h(one)}</code></td>' for one in row)}</tr>"
    yield "</table>"


def _copy(copy: Mapped) -> Iterator[str]:
    yield f"<h2>{_h(copy.source.name)}</h2>"
    yield from (f'<p class="quiet">{_h(line)}</p>' for line in source_lines(copy))
    if copy.faults:
        rows = [(pointer(one.path), one.message) for one in copy.faults]
        yield from ('<div class="bad"><h3>Cannot be taken</h3>', *_table(("Where", "Why"), rows), "</div>")
    if copy.homeless:
        yield from ('<div class="bad"><h3>Without a home</h3>', *_kept(copy.homeless), "</div>")
    if copy.kept:
        yield from ("<h3>Kept beside the settings</h3>", *_kept(copy.kept))
    for setting in copy.settings:
        yield from _setting(setting)


def _kept(values: Iterable[Kept]) -> Iterator[str]:
    return _table(
        ("Where", "Value", "Why"), [(pointer(one.path), quote(one.value), one.why) for one in values]
    )


def _setting(setting: Setting) -> Iterator[str]:
    kind, place = _h(setting.kind.noun), _h(pointer(setting.path))
    yield f'<h3>{_h(name_of(setting))} <span class="quiet">{kind}, <code>{place}</code></span></h3>'
    if setting.former is not None:
        yield f"<p>Renamed: another entry is called {_h(quote(setting.former))}.</p>"
    rows = [
        *((relative(setting, row), column_of(row.place), result_of(row)) for row in setting.rows),
        *(("(from its place)", column_of(place), quote(value)) for place, value in setting.implied.items()),
        *(("(default)", name, quote(value)) for name, value in setting.defaulted().items()),
    ]
    yield from _table(("In the browser", "Column", "Value"), rows)


def _conflict(conflict: Conflict) -> Iterator[str]:
    state = f"answered by {conflict.answer}" if conflict.answer else "not answered yet"
    yield f'<h3>{_h(conflict.key)} <span class="quiet">{_h(conflict.kind)}, {_h(state)}</span></h3>'
    rows = [("".join(steps(path)), *map(cell, values)) for path, values in conflict.fields]
    yield from _table(("Field", *(side.file for side in conflict.sides)), rows)
    if conflict.answer is None:
        yield from (f"<p><code>{_h(option)}</code></p>" for option in answers(conflict))
