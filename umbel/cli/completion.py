"""`umbel completion`: the name of a shell in, the script that lets it complete commands, options and actions out."""

from __future__ import annotations

import json
from typing import Final

import click

_INSTALL: Final = {
    "bash": "umbel completion bash > ~/.umbel-completion.bash && echo '. ~/.umbel-completion.bash' >> ~/.bashrc",
    "zsh": "umbel completion zsh > ~/.umbel-completion.zsh && echo '. ~/.umbel-completion.zsh' >> ~/.zshrc",
    "fish": "umbel completion fish > ~/.config/fish/completions/umbel.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(tuple(_INSTALL)))
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object: the script and how to install it."
)
@click.pass_context
def completion(ctx: click.Context, shell: str, *, as_json: bool) -> None:
    """Print the script with which a shell completes commands, options and names of actions.

    \b
    bash  umbel completion bash > ~/.umbel-completion.bash && echo '. ~/.umbel-completion.bash' >> ~/.bashrc
    zsh   umbel completion zsh > ~/.umbel-completion.zsh && echo '. ~/.umbel-completion.zsh' >> ~/.zshrc
    fish  umbel completion fish > ~/.config/fish/completions/umbel.fish
    """  # noqa: D301 - click wants the character itself, which keeps its lines as they are
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this version of click knows no {shell}")
    script = found(ctx.find_root().command, {}, "umbel", "_UMBEL_COMPLETE").source()
    if as_json:
        click.echo(json.dumps({"shell": shell, "script": script, "install": _INSTALL[shell]}))
        return
    click.echo(script)  # first: zsh reads its first line
    click.echo(f"# To install it: {_INSTALL[shell]}")
