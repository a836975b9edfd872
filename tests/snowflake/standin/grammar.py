"""Reads statements that sqlglot does not parse, token by token."""

from dataclasses import dataclass, field
from typing import ClassVar

from sqlglot.dialects.snowflake import Snowflake
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from standin.failures import Failure


class Words(Snowflake):
    """Snowflake's dialect, but no statement is one token and a text, as sqlglot has those that it does not parse."""

    class Tokenizer(Snowflake.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()


STRINGS = (TokenType.STRING, TokenType.RAW_STRING)


@dataclass(frozen=True)
class Name:
    """The full name of an object, as Snowflake keeps it."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """For DuckDB."""
        return ".".join(
            '"' + part.replace('"', '""') + '"' for part in (self.database, self.schema, self.name)
        )


@dataclass
class Reader:
    """A statement, read from left to right; `sql` is the text itself."""

    sql: str
    tokens: list[Token] = field(init=False)
    at: int = 0

    def __post_init__(self) -> None:
        try:
            tokens = Words().tokenize(self.sql)
        except SqlglotError as error:
            raise Failure(f"SQL compilation error:\n{error}") from None
        while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
            tokens.pop()
        self.tokens = tokens

    @property
    def next(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def words(self, count: int) -> list[str]:
        """The first words of the statement, in upper case."""
        return [token.text.upper() for token in self.tokens[:count]]

    def take(self, *words: str) -> bool:
        """Goes past `words` where they come next; one word may hold several that are written with blanks."""
        parts = " ".join(words).split()
        found = [
            t.text.upper() for t in self.tokens[self.at : self.at + len(parts)] if t.token_type not in STRINGS
        ]
        if " ".join(found) == " ".join(parts):
            self.at += len(found)
            return True
        # sqlglot may read words that belong together as one token.
        for length in range(1, len(parts)):
            joined = " ".join(
                " ".join(t.text.upper() for t in self.tokens[self.at : self.at + length]).split()
            )
            if joined == " ".join(parts):
                self.at += length
                return True
        return False

    def expect(self, *words: str) -> None:
        if not self.take(*words):
            raise self.wrong(" ".join(words))

    def wrong(self, expected: str) -> Failure:
        found = f"unexpected '{self.next.text}'" if self.next else "unexpected end"
        return Failure(
            f"SQL compilation error:\nsyntax error {found}, expected {expected}, in: {self.sql[:300]}"
        )

    def one(self) -> Token:
        if self.next is None:
            raise self.wrong("more")
        self.at += 1
        return self.tokens[self.at - 1]

    def identifier(self) -> str:
        token = self.one()
        return token.text if token.token_type == TokenType.IDENTIFIER else token.text.upper()

    def path(self) -> list[str]:
        """A name of one to three parts."""
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        return parts

    def string(self) -> str:
        token = self.one()
        if token.token_type not in STRINGS:
            self.at -= 1
            raise self.wrong("a string")
        return token.text

    def inside(self) -> str:
        """The text between the parenthesis that comes next and the one that closes it."""
        self.expect("(")
        start, depth = self.tokens[self.at - 1].end + 1, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self._symbol(self.one()), 0)
        return self.sql[start : self.tokens[self.at - 1].start]

    def strings(self) -> list[str]:
        """A list in parentheses of strings or bare words."""
        self.expect("(")
        found = []
        while not self.take(")"):
            found.append(self.one().text)
            self.take(",")
        return found

    def word_of_text(self) -> str:
        """A run of text without blanks, or a string: where a stage or a file is named."""
        token = self.next
        if token is None:
            raise self.wrong("a location")
        if token.token_type in STRINGS:
            return self.string()
        end, quoted = token.start, False
        while end < len(self.sql) and (quoted or not (self.sql[end].isspace() or self.sql[end] in "();,")):
            quoted ^= self.sql[end] == '"'
            end += 1
        while self.next and self.next.start < end:
            self.at += 1
        return self.sql[token.start : end]

    def rest(self) -> str:
        """What has not been read yet."""
        if self.next is None:
            return ""
        start, end = self.next.start, self.tokens[-1].end + 1
        self.at = len(self.tokens)
        return self.sql[start:end]

    def end(self) -> None:
        if self.next is not None:
            raise self.wrong("the end")

    @staticmethod
    def _symbol(token: Token) -> str:
        return "" if token.token_type in STRINGS else token.text


def split(text: str) -> list[str]:
    """A list's members: cut at the commas that stand in no parentheses."""
    reader, found, start, depth = Reader(text), [], 0, 0
    for token in reader.tokens:
        symbol = Reader._symbol(token)
        depth += {"(": 1, ")": -1}.get(symbol, 0)
        if symbol == "," and not depth:
            found.append(text[start : token.start].strip())
            start = token.end + 1
    last = text[start:].strip()
    return [*found, last] if last else found
