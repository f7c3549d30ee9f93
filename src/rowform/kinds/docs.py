"""What models say of their fields: the docstrings below them.

pydantic can read them itself (``use_attribute_docstrings``), but does so whenever a class is
made, which is at every start of every command. Here they are read when a schema or a page of
the docs is.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel


@cache
def field_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """The descriptions of a model's fields by attribute name, inherited ones included.

    One that is given to ``Field`` comes before a docstring.
    """
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if cls is not BaseModel and issubclass(cls, BaseModel):
            found.update(_docstrings(cls))
    given = {name: field.description for name, field in model.model_fields.items() if field.description}
    return {**found, **given}


def _docstrings(cls: type[BaseModel]) -> Iterator[tuple[str, str]]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):
        return  # made at run time: there is no source
    (definition,) = tree.body
    for field, following in pairwise(definition.body if isinstance(definition, ast.ClassDef) else ()):
        match field, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
            case _:
                pass


def described(model: type[BaseModel]) -> type[BaseModel]:
    """The same model, its fields and those of the models in them described, for JSON Schema."""
    # The inner ones first: an outer one takes them in as they are then.
    for one in reversed(list(dict.fromkeys(_models(model)))):
        for name, text in field_docs(one).items():
            one.model_fields[name].description = text
        one.model_rebuild(force=True)
    return model


def _models(model: type[BaseModel], seen: frozenset[Any] = frozenset()) -> Iterator[type[BaseModel]]:
    yield model
    pending: list[Any] = [field.annotation for field in model.model_fields.values()]
    while pending:
        item = pending.pop()
        if isinstance(item, type) and issubclass(item, BaseModel):
            if item not in seen and item is not model:
                yield from _models(item, seen | {model})
        else:
            pending.extend(get_args(item))
