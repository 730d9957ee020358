"""The header of a file: which column holds what, whatever people call it."""

import csv
import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final

from core.domain.contacts import LONGEST_KEY, MOST_ATTRIBUTES
from core.domain.errors import InvalidArgument
from core.domain.imports import REJECT_COLUMNS
from core.domain.imports_csv import Records

DELIMITERS: Final = (",", ";", "\t", "|")

# Earlier names are surer: where two columns could be the phone number, the first of these is it.
SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "phone_number": (
        "phone_number", "whatsapp_number", "whatsapp_phone", "whatsapp_phone_number", "numero_whatsapp", "whatsapp",
        "mobile_number", "mobile_phone", "mobile_phone_number", "cell_phone", "cellphone", "mobile", "cell", "gsm",
        "portable", "telephone_portable", "tel_portable", "telephone_mobile", "celular", "movil", "telefono_movil",
        "handy", "handynummer", "mobilnummer", "cellulare",
        "phone", "phone_no", "phonenumber", "phone_1_value", "primary_phone", "telephone_number", "telephone", "tel",
        "tel_no", "tel_number", "contact_number", "msisdn", "numero_de_telephone", "numero_telephone", "num_tel",
        "no_telephone", "n_telephone", "n_de_telephone", "no_tel", "numero_de_telefono", "telefono", "telefone", "fone",
        "telefon", "telefonnummer", "rufnummer", "telefoonnummer", "telefoon", "numero", "number", "nummer", "wa_id",
        "телефон", "номер_телефона", "номер", "мобильныи", "мобильныи_телефон", "手机", "手机号", "手机号码", "电话",
        "電話番号", "携帯電話", "전화번호", "رقم_الهاتف", "الهاتف",
    ),
    "whatsapp_user_id": ("whatsapp_user_id", "wa_user_id", "whatsapp_id", "bsuid", "user_id_whatsapp"),
    "display_name": (
        "display_name", "full_name", "fullname", "contact_name", "customer_name", "nom_complet", "nombre_completo",
        "nome_completo", "vollstandiger_name", "name", "nom_et_prenom", "prenom_et_nom", "nombre_y_apellidos", "nom",
        "nombre", "nome", "naam", "имя", "фио", "姓名", "名前", "氏名", "이름", "الاسم",
    ),
    "first_name": (
        "first_name", "firstname", "given_name", "prenom", "primer_nombre", "vorname", "voornaam", "primeiro_nome",
    ),
    "last_name": (
        "last_name", "lastname", "family_name", "surname", "nom_de_famille", "apellido", "apellidos", "nachname",
        "familienname", "achternaam", "cognome", "sobrenome",
    ),
    "language_code": (
        "language_code", "language", "lang", "locale", "langue", "code_langue", "idioma", "sprache", "lingua", "taal",
    ),
    "time_zone": ("time_zone", "timezone", "tz", "fuseau_horaire", "fuseau", "zona_horaria", "zeitzone"),
    "categories": (
        "categories", "category", "tags", "tag", "groups", "group", "lists", "list", "segments", "segment", "labels",
        "label", "categorie", "groupe", "groupes", "liste", "listes", "etiquettes", "categoria", "categorias", "grupo",
        "grupos", "etiquetas", "kategorie", "kategorien", "gruppe", "gruppen",
    ),
    "opt_in": (
        "opt_in", "optin", "opted_in", "marketing_consent", "consent", "consentement", "marketing_opt_in",
        "accepts_marketing", "accepts_sms_marketing", "email_marketing_consent", "subscribed", "abonne",
        "consentimiento", "consentimento", "einwilligung", "consenso",
    ),
    "opt_out": (
        "opt_out", "optout", "opted_out", "unsubscribed", "do_not_contact", "stop", "desabonne", "desinscrit",
        "desinscription", "baja", "abgemeldet",
    ),
}  # fmt: skip
# People write phone_number, phone number, phoneNumber and phonenumber.
_JOINED: Final = {field: tuple(name.replace("_", "") for name in names) for field, names in SYNONYMS.items()}
_SEPARATORS: Final = re.compile(r"[\W_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBERISH: Final = re.compile(r"(?:\d\D{0,2}){5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Says by position which column holds what; ``attributes`` are (position, key)."""

    header: tuple[str, ...]
    fields: dict[str, int]
    attributes: tuple[tuple[int, str], ...]

    @property
    def attribute_columns(self) -> tuple[str, ...]:
        """Returns the headers that became attributes."""
        return tuple(self.header[position] for position, _ in self.attributes if self.header[position])


def normalise(header: str) -> str:
    """Returns a header in lower case, without accents, words joined by one underscore."""
    spaced = _CAMEL.sub(" ", header)
    decomposed = unicodedata.normalize("NFKD", spaced.casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _SEPARATORS.sub("_", bare).strip("_")


def read_columns(header: Sequence[str]) -> Columns:
    """Finds out which column holds what.

    Refuses with ``PHONE_COLUMN_MISSING`` where nobody could be reached, and with ``HEADER_UNREADABLE`` what cannot name
    columns.
    """
    cells = tuple(cell.strip() for cell in header)
    names = [normalise(cell) for cell in cells]
    fields = dict(_known(names))
    if "phone_number" not in fields and "whatsapp_user_id" not in fields:
        raise _no_phone_column(cells)
    kept = set(fields.values()) - {fields.get("first_name"), fields.get("last_name")}
    attributes = tuple(_attributes(names, kept))
    if len(attributes) > MOST_ATTRIBUTES:
        text = f"The header has {len(attributes)} columns besides the known ones; at most {MOST_ATTRIBUTES} are kept."
        raise InvalidArgument("HEADER_UNREADABLE", text, columns=len(attributes))
    return Columns(header=cells, fields=fields, attributes=attributes)


def find_delimiter(lines: list[str]) -> str:
    """Returns the delimiter under which the first record makes most sense as a header; a comma when none tells."""
    best, best_score = ",", (-1, 0)
    for delimiter in DELIMITERS:
        score = _score(lines, delimiter)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def read_separator_line(line: str) -> str:
    """Returns the delimiter that a first line such as ``sep=;`` names, or an empty text."""
    bare = line.strip("\n").strip('"')
    named = bare[4:5] if bare[:4].lower() == "sep=" and len(bare) <= 5 else ""  # noqa: PLR2004  # sep= and one character
    return named if named in DELIMITERS else ""


def _score(lines: list[str], delimiter: str) -> tuple[int, int]:
    try:
        record = next(Records(delimiter).feed(lines, final=True), None)
    except csv.Error:
        return (0, 0)
    if record is None or record.fault:
        return (0, 0)
    names = [normalise(cell) for cell in record.cells]
    return (len(dict(_known(names))), len(names))


def _known(names: list[str]) -> Iterator[tuple[str, int]]:
    joined = [name.replace("_", "") for name in names]
    for field, synonyms in _JOINED.items():
        found = next((synonym for synonym in synonyms if synonym in joined), None)
        if found is not None:
            yield field, joined.index(found)


def _attributes(names: list[str], taken: Set[int | None]) -> Iterator[tuple[int, str]]:
    """Gives every other column a key of its own."""
    used: set[str] = set()
    for position, name in enumerate(names):
        if position in taken or name in REJECT_COLUMNS:
            continue
        key = base = (name or f"column_{position + 1}")[: LONGEST_KEY - 4]
        number = 2
        while key in used:
            key, number = f"{base}_{number}", number + 1
        used.add(key)
        yield position, key


def _no_phone_column(header: tuple[str, ...]) -> InvalidArgument:
    # A file without header begins with a person: nothing that could be a number is repeated.
    if any(_NUMBERISH.search(cell) for cell in header):
        text = "The first line looks like a contact, not like names of columns; add a header such as phone_number."
        return InvalidArgument("PHONE_COLUMN_MISSING", text, columns=len(header))
    found = ", ".join(cell[:LONGEST_KEY] for cell in header[:20])
    text = f"No column holds phone numbers; name one phone_number. Columns found: {found}."
    return InvalidArgument("PHONE_COLUMN_MISSING", text, columns=found)
