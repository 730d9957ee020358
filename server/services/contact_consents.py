"""What RecordConsent says, as a record with its proof."""

from datetime import datetime

from chappe.v1 import contacts_service_pb2 as pb

from core.domain.contacts import ConsentRecord, Contact, check_event_time, person_hash
from server.wire import contacts as wire
from server.wire import times


def read_consent_record(
    request: pb.RecordConsentRequest, contact: Contact, *, hash_key: bytes, now: datetime
) -> ConsentRecord:
    """Reads the consent of a contact; refuses one from the future with ``EVENT_TIME_INVALID``."""
    event_time = times.read_field_time(request, "event_time") or now
    check_event_time(event_time, now=now)
    return ConsentRecord(
        contact_id=contact.id,
        person_hash=person_hash(hash_key, contact.phone_number or contact.whatsapp_user_id or ""),
        consent=wire.read_consent(request.consent),
        source=request.source,
        evidence=request.evidence,
        event_time=event_time,
    )
