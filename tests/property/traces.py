"""A scan of every column that can hold a text, for words that should be nowhere."""

from collections.abc import Sequence

from tests.property.stage import Stage

_COLUMNS = """
    SELECT table_name, column_name, data_type
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
        AND (data_type IN ('text', 'jsonb', 'json', 'bytea') OR data_type LIKE 'char%')
    ORDER BY 1, 2"""


class Traces:
    """Looks for words wherever a column of the schema could hold them: also in columns that are added one day."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        found = [(row["table_name"], row["column_name"], row["data_type"]) for row in stage.fetch(_COLUMNS)]
        self._scan = " UNION ALL ".join(_scan(*column) for column in found)

    def find(self, words: Sequence[str]) -> set[str]:
        """Returns the columns in which one of the words stands."""
        return {row["place"] for row in self._stage.fetch(self._scan, list(words))}


def _scan(table: str, column: str, kind: str) -> str:
    text = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
    return (
        f"SELECT '{table}.{column}' AS place FROM {table}"  # noqa: S608  # names of our own schema
        f" WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE strpos({text}, word) > 0)"
    )
