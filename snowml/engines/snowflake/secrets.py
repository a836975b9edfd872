"""What must not be printed: the secrets of a profile, wherever a text repeats them."""

import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "***"
# A shorter piece of a secret would hide half of any text, and says nothing.
_SHORTEST = 3


class Secrets:
    """Texts to hide, in the forms in which a driver or a server may repeat them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Hide one more: keys and tokens are read, and change, while sessions come and go."""
        forms = {form for form in _forms(value) if len(form) >= _SHORTEST}.union(self._forms)
        # The longest first, so that no half of one is left over.
        self._forms = sorted(forms, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text without them."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def hide_in(self, error: BaseException) -> None:
        """Take them out of an error, and of those that it came from: tracebacks print them all."""
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            error.args = tuple(self.hide(item) if isinstance(item, str) else item for item in error.args)
            for name, value in list(vars(error).items()):
                if isinstance(value, str):
                    setattr(error, name, self.hide(value))
            error = error.__cause__ or error.__context__  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Secrets()"


def _forms(value: str) -> Iterable[str]:
    yield from (value, repr(value)[1:-1], json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value))
    # A private key is many lines, and one of them is enough to be sorry.
    lines = [line.strip() for line in value.splitlines()]
    yield from (line for line in lines if len(lines) > 1 and line and not line.startswith("-----"))
