"""What is said about single fields; see `app.api.failures`."""

from __future__ import annotations

MESSAGES: frozenset[str] = frozenset(
    {
        "This field is required.",
        "This field is not known here.",
        "This is not valid JSON.",
        "This must be a JSON object.",
        "This must be a JSON array.",
        "This must be a string.",
        "This must be a whole number.",
        "This must be true or false.",
        "This must be a decimal number written as a string.",
        "This must be a finite number.",
        "This must be a UUID.",
        "This must be a date written YYYY-MM-DD.",
        "This must be a time with offset, as in RFC 3339.",
        "This text contains the character NUL or half a Unicode character.",
        "Take the cursor from `next_cursor`.",
        "Send 1 to 255 visible ASCII characters.",
        "This is refused; see the detail.",
        "There is no such record. These exist:",
        "There are too many.",
    }
)
