"""One folding of text for storing and for searching, the same on every database."""

import unicodedata

# PS3.5 6.2: "^" parts a person name's components, "=" its alphabetic, ideographic and phonetic forms.
NAME_SEPARATORS = str.maketrans("^=\\", "   ")


# An index holds the line beside others, and PostgreSQL's B-tree takes no row above 2,704 bytes.
LONGEST_LINE_BYTES = 1000


def search_line(*texts: str) -> str:
    """The texts folded, as a search looks at them; so many bytes of them as an index can hold."""
    return folded(*texts).encode()[:LONGEST_LINE_BYTES].decode(errors="ignore").rstrip()


def folded(*texts: str) -> str:
    """The texts in one line without case and accents, words parted by single spaces."""
    joined = " ".join(texts).translate(NAME_SEPARATORS)
    decomposed = unicodedata.normalize("NFKD", joined.casefold())
    return " ".join("".join(letter for letter in decomposed if not unicodedata.combining(letter)).split())
