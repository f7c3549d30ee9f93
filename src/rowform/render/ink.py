"""Colours for terminals, or none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ink:
    """Paints text with ANSI colours if ``enabled``; otherwise returns it as it is."""

    enabled: bool = False

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.enabled and text else text

    def bold(self, text: str) -> str:
        return self._paint("1", text)

    def dim(self, text: str) -> str:
        return self._paint("2", text)

    def red(self, text: str) -> str:
        return self._paint("31", text)

    def green(self, text: str) -> str:
        return self._paint("32", text)

    def yellow(self, text: str) -> str:
        return self._paint("33", text)

    def symbol(self, symbol: str) -> str:
        """A plan's ``+``, ``~`` or ``-`` in its colour."""
        return {"+": self.green, "~": self.yellow, "-": self.red}[symbol](symbol)
