"""What a template is filled with: the migrations, the seeds, and the planner's statistics."""

from trueup.db import Connection
from trueup.errors import MigrationFailed, UsageError
from trueup.migrations import migrate_up, read_migrations
from trueup.migrations.execution import Task, run
from trueup.migrations.files import Block
from trueup.migrations.statements import split
from trueup.testing.lending.recipes import Recipe


def fill(connection: Connection, recipe: Recipe, parent: Recipe | None) -> None:
    """Run what the parent hasn't, and gather the planner's statistics, for nobody does it later."""
    if recipe.schema and parent is None:
        migrations = read_migrations(recipe.schema)
        if migrations.digest != recipe.schema_digest:
            raise UsageError(f"{recipe.schema} was changed while its tables were built: run the tests again")
        migrate_up(connection, migrations)
    for file, text in recipe.seed[len(parent.seed) if parent else 0 :]:
        statements = tuple(statement for statement in split(text) if not statement.is_blank)
        if not statements:
            raise MigrationFailed(f"{file} holds no statement: a seed that puts nothing in is a mistake")
        block = Block(sql=text, line=1, in_transaction=True, statements=statements)
        run(Task(connection=connection, file=file, block=block, record=lambda: None))
    connection.execute("analyze")
