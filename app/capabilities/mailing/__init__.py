"""Mails to shops: an outbox that is filled in the transaction of the event, and durable work that empties it."""
