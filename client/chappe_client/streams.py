"""client: what both clients know of streams: when an export is whole, and when a campaign is over."""

from chappe_client.errors import Incomplete
from chappe_client.generated.chappe import v1

MOST_FAILURES = 10
_OVER = frozenset({v1.CampaignState.COMPLETED, v1.CampaignState.CANCELLED, v1.CampaignState.FAILED})


def confirm(count: int, footer: v1.ExportFooter | None) -> None:
    """Raises Incomplete when the footer is missing or counts other than count rows."""
    if footer is None or footer.row_count != count:
        raise Incomplete(f"The export ended after {count} rows without its footer.")


def is_over(element: v1.WatchCampaignResponse) -> bool:
    """Tells whether a watch ends with this element for good, instead of wanting to be begun again."""
    return element.campaign is not None and element.campaign.state in _OVER
