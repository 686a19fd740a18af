"""The least that a program with a list can be: an empty Textual app with one DataTable of fifty rows."""

from textual.app import App, ComposeResult
from textual.widgets import DataTable


class TableApp(App[None]):
    """Fifty rows, nothing else."""

    def compose(self) -> ComposeResult:
        """The table."""
        yield DataTable[str](cursor_type="row")

    def on_mount(self) -> None:
        """Fill it."""
        table: DataTable[str] = self.query_one(DataTable)
        table.add_columns("Name", "Address", "Server", "Type", "State")
        for number in range(1, 51):
            table.add_row(f"{number:04} row", f"row{number}@example.org", "mail.example.org", "IMAP", "good")


if __name__ == "__main__":
    TableApp().run()
