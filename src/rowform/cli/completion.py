"""``rowform completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from rowform.cli.common import emit
from rowform.errors import UsageError

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_ROWFORM_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Commands, options, restaurants, targets, kinds and guards are completed.

    For bash, put `eval "$(rowform completion bash)"` into ~/.bashrc.

    For zsh, put `eval "$(rowform completion zsh)"` into ~/.zshrc, after compinit.

    For fish, run `rowform completion fish > ~/.config/fish/completions/rowform.fish`.
    """
    made = get_completion_class(shell)
    if made is None:
        raise UsageError(f"there is no completion for {shell}")
    emit(made(ctx.find_root().command, {}, "rowform", _VARIABLE).source().strip())
