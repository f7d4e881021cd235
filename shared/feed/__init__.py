"""Change feeds instead of a broker.

Publish in your own transaction with `publish` or `publish_many`; a `Sequencer` in the worker gives
committed events their position; the server's `serve.feed_router` hands them out; a `Reader` of
another service applies each of them once, through its `Handler`s.
"""

from shared.feed.erased import erased_among, note_erased
from shared.feed.events import Event, FeedCursor, NewEvent, source_of
from shared.feed.handlers import Handler
from shared.feed.head import new_epoch, read_head
from shared.feed.parking import held, is_held
from shared.feed.progress import ages, is_following
from shared.feed.publish import is_pending, publish, publish_many
from shared.feed.reader import Reader
from shared.feed.sequencer import Sequencer, sequence
from shared.feed.snapshot import SnapshotSource
from shared.feed.types import event_types
from shared.feed.waiting import wait_applied

__all__ = [
    "Event",
    "FeedCursor",
    "Handler",
    "NewEvent",
    "Reader",
    "Sequencer",
    "SnapshotSource",
    "ages",
    "erased_among",
    "event_types",
    "held",
    "is_following",
    "is_held",
    "is_pending",
    "new_epoch",
    "note_erased",
    "publish",
    "publish_many",
    "read_head",
    "sequence",
    "source_of",
    "wait_applied",
]
