"""Typed ids. Internal ids join tables; public ids stand in URLs and reveal no count."""

import secrets
from typing import NewType

PersonId = NewType("PersonId", int)
OrganisationId = NewType("OrganisationId", int)
MembershipId = NewType("MembershipId", int)
ListingId = NewType("ListingId", int)
RevisionId = NewType("RevisionId", int)
InquiryId = NewType("InquiryId", int)
IntroductionId = NewType("IntroductionId", int)
MandateId = NewType("MandateId", int)
DealId = NewType("DealId", int)
ContractId = NewType("ContractId", int)
RegistrationId = NewType("RegistrationId", int)
PastRegistrationId = NewType("PastRegistrationId", int)
TransactionId = NewType("TransactionId", int)
CommissionId = NewType("CommissionId", int)
RewardId = NewType("RewardId", int)
FeeId = NewType("FeeId", int)
PaymentId = NewType("PaymentId", int)
AttemptId = NewType("AttemptId", int)
CaptureId = NewType("CaptureId", int)
RefundId = NewType("RefundId", int)
CreditId = NewType("CreditId", int)

PublicId = NewType("PublicId", str)

# No 0/O, 1/l/I: ids are read aloud over the telephone.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
PUBLIC_ID_LENGTH = 14  # 31^14 ≈ 2^69


def new_public_id() -> PublicId:
    rest, letters = secrets.randbelow(len(_ALPHABET) ** PUBLIC_ID_LENGTH), []
    for _ in range(PUBLIC_ID_LENGTH):
        rest, letter = divmod(rest, len(_ALPHABET))
        letters.append(_ALPHABET[letter])
    return PublicId("".join(letters))


def new_secret() -> str:
    """Return 256 random bits as text, for sessions, tokens and one-time links."""
    return secrets.token_urlsafe(32)
