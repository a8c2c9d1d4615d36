"""`loadtest check`: what a run would find and change."""

import click


@click.command()
def check() -> None:
    """Say what a run would find and change, and change nothing."""
