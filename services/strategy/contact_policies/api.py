"""Routes of contact policies."""

from services.strategy.contact_policies.schemas import ContactPolicyRead, ContactPolicyUpdate
from services.strategy.contact_policies.service import check_contact_policy
from services.strategy.entries.api import entry_router
from services.strategy.entries.domain import Kind

router = entry_router(
    Kind.CONTACT_POLICY,
    "contact-policies",
    update=ContactPolicyUpdate,
    read=ContactPolicyRead,
    check=check_contact_policy,
)
