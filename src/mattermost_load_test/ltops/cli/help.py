"""`ltops help`: the help of a command, as the original spelled it."""

import click


@click.command("help")
@click.argument("command", required=False)
@click.pass_context
def show_help(context: click.Context, command: str | None) -> None:
    """Show the help of COMMAND, or of ltops."""
    group = context.find_root()
    assert isinstance(group.command, click.Group)
    if command is None:
        click.echo(group.get_help(), color=context.color)
        return
    found = group.command.get_command(group, command)
    if found is None:
        raise click.UsageError(f"there is no command {command}; `ltops --help` lists them")
    click.echo(found.get_help(click.Context(found, info_name=command, parent=group)), color=context.color)
