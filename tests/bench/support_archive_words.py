"""What the rows of `support_archive` say, as SQL over the study's number `n`: ids, days, names, counts, scanners."""

from collections.abc import Sequence
from uuid import UUID

FAMILY_NAMES = (
    "Novak", "Horvat", "Kovacic", "Krajnc", "Zupancic", "Potocnik", "Kovac", "Mlakar", "Vidmar", "Kos", "Golob",
    "Turk", "Bozic", "Kralj", "Korosec", "Zupan", "Bizjak", "Hribar", "Kotnik", "Rozman", "Kavcic", "Petek",
    "Kastelic", "Oblak", "Zagar", "Hocevar", "Kolar", "Zorman", "Mueller", "Schmidt", "Rossi", "Bianchi", "Garcia",
    "Jansen", "Andersson", "Nielsen", "Popescu", "Nagy", "Kowalski", "Dubois",
)  # fmt: skip
GIVEN_NAMES = (
    "Ana", "Marija", "Maja", "Irena", "Mojca", "Mateja", "Nina", "Natasa", "Andreja", "Barbara", "Petra", "Katja",
    "Eva", "Sara", "Jana", "Spela", "Luka", "Marko", "Andrej", "Janez", "Peter", "Tomaz", "Matej", "Rok", "Jan",
    "Nejc", "Jure", "Miha", "Ziga", "David", "Anton", "Ivan", "Franc", "Jozef", "Hans", "Ole", "Paul", "Jean",
    "Carlo", "Piotr",
)  # fmt: skip
# Ten patients have 25 studies: 40,000 patients, of whom each has 1 to 8.
PATIENT_OF_25 = (0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9)


def uuid(what: str) -> str:
    return f"md5('{what} of ' || n)::uuid"


def uid(what: str) -> str:
    """Of the form and length of a scanner's own."""
    return f"'1.3.12.2.1107.5.2.19.45152.' || {what}"


def array(values: Sequence[object]) -> str:
    return "(ARRAY[" + ", ".join(f"'{value}'" for value in values) + "])"


def one_of(values: Sequence[object], number: str = "n") -> str:
    return f"{array(values)}[1 + ({number}) % {len(values)}]" + ("::uuid" if isinstance(values[0], UUID) else "")


STUDY = uuid("study")
PATIENT_NUMBER = f"(n / 25 * 10 + {array(PATIENT_OF_25)}[1 + n % 25]::int)"
PATIENT = f"md5('patient ' || {PATIENT_NUMBER})::uuid"
VISIT = "(n % 25 % 8)"
DAY = f"(date '2014-01-07' + {PATIENT_NUMBER} * 37 % 3000 + {VISIT} * 211 + n % 13)"
RECEIVED = f"(({DAY} + time '07:00' + n % 36000 * interval '1 second') AT TIME ZONE 'UTC')"
FAMILY = (
    f"({one_of(FAMILY_NAMES, f'{PATIENT_NUMBER} * 7 / 3')} || CASE WHEN {PATIENT_NUMBER} % 9 = 0 THEN '-' || "
    f"{one_of(FAMILY_NAMES, f'{PATIENT_NUMBER} / 5')} ELSE '' END)"
)
NAME = f"({FAMILY} || '^' || {one_of(GIVEN_NAMES, f'{PATIENT_NUMBER} / 11')})"
IDENTIFIER = f"lpad(({PATIENT_NUMBER} * 7919 % 10000000)::text, 8, '0')"
FOLDED_NAME = f"lower(replace({NAME}, '^', ' '))"
ACCESSION = "('A' || 2000000 + n)"
DESCRIPTION = one_of(["MR head", "MR head with contrast", "MR head and cervical spine", "MS follow-up"])
ACTIVE, INACTIVE = "(n * 7 % 11 * (n % 3) / 2)", "(n * 13 % 61 * (1 + n % 2) / 2)"
COUNTS = {
    "active_count": ACTIVE,
    "inactive_count": INACTIVE,
    "active_volume_ml": f"{ACTIVE} * 0.11 + n % 7 * 0.01",
    "inactive_volume_ml": f"{INACTIVE} * 0.19 + n % 17 * 0.01",
}
SCANNER = {
    "manufacturer": one_of(["SIEMENS", "Philips", "GE MEDICAL SYSTEMS"]),
    "scanner_model": one_of(["Skyra", "Ingenia", "SIGNA Architect", "Avanto", "Achieva", "Optima MR450w"]),
}
