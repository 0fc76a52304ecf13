"""
The way to knock on the HTTP door: every exchange as data, one conversation about retries, two thin senders.

`calls` says what each operation sends, `recovery` what happens when a session has ended, `retrying` when an
attempt is repeated; `sync` and `asynchronous` only send and wait. Nothing here knows how a prediction is
made.
"""
