"""What is packed of the diary, unpacked by hand: pages and changes since, together, say what the rows say."""
from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from clinic.store.occupancy import PAGE  # how many granules a page has is a matter of speed alone
from tests.prove.plain_rows import Rows

GRANULE = timedelta(minutes=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Granules = defaultdict[tuple[int, int], set[int]]


def page_faults(rows: Rows) -> list[str]:
    """Where pages and changes say something else than the rows, for each resource at each clinic."""
    packed: Granules = defaultdict(set)
    for page in rows["occupancy"]:
        packed[page.resource_id, page.clinic_id] |= {
            page.page * PAGE + 8 * at + bit for at, byte in enumerate(page.bits) if byte for bit in range(8)
            if byte >> bit & 1}
        if page.bits.endswith(b"\0"):
            return [f"page {page.page} of resource {page.resource_id} ends in zeros"]
    for change in sorted(rows["occupancy_change"], key=lambda row: row.id):
        held = packed[change.resource_id, change.clinic_id]
        spans = _granules(change.starts_at, change.ends_at)
        held.update(spans) if change.is_held else held.difference_update(spans)
    patients = {row.id for row in rows["patient"]}
    wanted: Granules = defaultdict(set)
    for row in rows["resource_booking"]:
        if row.resource_id not in patients:
            wanted[row.resource_id, row.clinic_id] |= set(_granules(row.starts_at, row.ends_at))
    return [
        f"resource {key[0]} is held at {sorted(wanted[key])[:3]} and packed at {sorted(packed[key])[:3]}"
        for key in sorted(packed.keys() | wanted.keys()) if packed[key] != wanted[key]]


def _granules(starts_at: datetime, ends_at: datetime) -> range:
    return range((starts_at - EPOCH) // GRANULE, -((EPOCH - ends_at) // GRANULE))
