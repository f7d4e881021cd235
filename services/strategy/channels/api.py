"""Routes of channels."""

from services.strategy.channels.schemas import ChannelRead, ChannelUpdate
from services.strategy.channels.service import check_channel
from services.strategy.entries.api import entry_router
from services.strategy.entries.domain import Kind

router = entry_router(
    Kind.CHANNEL, "channels", update=ChannelUpdate, read=ChannelRead, check=check_channel
)
