"""Rows of one person in one chunk of an import, made one row."""

from dataclasses import replace

from core.domain.contacts import MarketingConsent
from core.domain.imports import ImportedRow


class Merge:
    """Merges rows of one person into the first of them, which also learns what only a later one says."""

    def __init__(self, owners: dict[str, str]) -> None:
        """Takes who has WhatsApp's ids on record: the phone number, or the id itself where none is known."""
        self._owners = owners
        self._by_person: dict[str, ImportedRow] = {}
        self._aside: set[str] = set()
        self.conflicts: list[ImportedRow] = []

    @property
    def rows(self) -> list[ImportedRow]:
        """The merged rows, one a person."""
        return list(self._by_person.values())

    def add(self, row: ImportedRow) -> None:
        """Takes a row, or puts it aside when its WhatsApp id is somebody else's."""
        user_id = row.whatsapp_user_id
        owner = self._owners.get(user_id, user_id) if user_id else None
        if row.phone_number and owner not in (None, user_id, row.phone_number):
            self.conflicts.append(row)
            self._aside.add(row.phone_number)
            return
        person = row.phone_number or owner or ""
        if user_id:
            self._bind(user_id, person)
        if row.phone_number is None and person != user_id:
            row = replace(row, phone_number=person)
        earlier = self._by_person.get(person)
        if person in self._aside:  # the row it repeats was put aside
            row = replace(row, is_repeat=False)
        self._by_person[person] = row if earlier is None else _merged(earlier, row)

    def _bind(self, user_id: str, person: str) -> None:
        """The number of somebody known by id alone has come: the earlier row moves to it."""
        self._owners[user_id] = person
        earlier = self._by_person.pop(user_id, None) if person != user_id else None
        if earlier is not None:
            moved = replace(earlier, phone_number=person)
            known = self._by_person.get(person)
            self._by_person[person] = moved if known is None else _merged(known, moved)


def _merged(first: ImportedRow, later: ImportedRow) -> ImportedRow:
    refused = MarketingConsent.OPTED_OUT in (first.consent, later.consent)
    known = later.consent if first.consent is MarketingConsent.UNKNOWN else first.consent
    return replace(
        first,
        whatsapp_user_id=first.whatsapp_user_id or later.whatsapp_user_id,
        display_name=first.display_name or later.display_name,
        language_code=first.language_code or later.language_code,
        time_zone=first.time_zone or later.time_zone,
        attributes={**later.attributes, **first.attributes},
        categories=tuple(dict.fromkeys((*first.categories, *later.categories))),
        consent=MarketingConsent.OPTED_OUT if refused else known,
    )
