"""``rowform serve``."""

from __future__ import annotations

import click

from rowform.cli.common import restaurants_option, settings
from rowform.sync.serving import ServeOptions
from rowform.sync.serving import serve as run


@click.command()
@click.option("--host", metavar="HOST", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 is any free one.",
)
@click.option(
    "--edits",
    type=click.Choice(["reject", "apply"]),
    default="reject",
    show_default=True,
    help="What becomes of clients' edits: refused, because settings are managed in Git, or applied.",
)
@click.option(
    "--edit-url",
    metavar="URL",
    envvar="ROWFORM_EDIT_URL",
    show_envvar=True,
    help="For --edits apply: the database as the role that may write.",
)
@click.option(
    "--auth",
    metavar="none|jwt|header:NAME",
    default="none",
    show_default=True,
    help="How clients say who they are.",
)
@click.option(
    "--trusted-proxy",
    "proxies",
    metavar="CIDR",
    multiple=True,
    help="For --auth header: who may send the header; repeatable.",
)
@click.option(
    "--jwt-secret-env",
    metavar="NAME",
    default="ROWFORM_JWT_SECRET",
    show_default=True,
    help="For --auth jwt: the environment variable with the secret.",
)
@click.option(
    "--audience",
    metavar="AUD",
    default="authenticated",
    show_default=True,
    help="For --auth jwt: the audience that tokens must be for.",
)
@click.option(
    "--allowed-origin",
    "origins",
    metavar="ORIGIN",
    multiple=True,
    help="Pages that may connect besides the server's own; repeatable.",
)
@click.option(
    "--listen-url",
    metavar="URL",
    envvar="ROWFORM_LISTEN_URL",
    show_envvar=True,
    help="The database past a pooler, for hearing of activations.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How events are written to stderr.",
)
@restaurants_option
@click.pass_context
def serve(
    ctx: click.Context,
    *,
    host: str,
    port: int,
    edits: str,
    edit_url: str | None,
    auth: str,
    proxies: tuple[str, ...],
    jwt_secret_env: str,
    audience: str,
    origins: tuple[str, ...],
    listen_url: str | None,
    log_format: str,
    slugs: tuple[str, ...],
) -> None:
    """WebSocket clients connect to `/`, `/ws` or `/staff-sync`, and are sent every version that is activated.

    Without `--auth` the server is for this machine alone. With `jwt` clients send a token (HS256) as
    `Authorization: Bearer`, as subprotocols `bearer, TOKEN`, or in their first message; its claim
    `restaurant_id` (also in `app_metadata`) names the restaurant. With `header:NAME` a trusted proxy
    names it.

    Connect to the database as a role that row level security holds: the owner makes one with
    `select rowform.allow_serving('ROLE')`.

    `/healthz`, `/readyz` and `/metrics` are for machines. The last one wants the token of the
    environment variable ROWFORM_METRICS_TOKEN, unless `--auth none`.
    """
    run(
        settings(ctx),
        ServeOptions(
            host=host,
            port=port,
            auth=auth,
            proxies=proxies,
            secret_variable=jwt_secret_env,
            audience=audience,
            origins=origins,
            listen_url=listen_url,
            slugs=slugs,
            logs_json=log_format == "json",
            edits=edits,
            edit_url=edit_url,
            debug=bool(ctx.find_root().obj["debug"]),
        ),
    )
