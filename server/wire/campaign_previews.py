"""What a start of a campaign would do, in the words of the contract."""

from chappe.v1 import campaigns_service_pb2, stats_pb2
from google.protobuf.duration_pb2 import Duration

from core.domain.campaigns import CampaignPreview, MissingVariable
from core.domain.errors import Refusal
from server.wire import bindings, templates

_Preview = campaigns_service_pb2.PreviewCampaignResponse


def preview(written: CampaignPreview) -> campaigns_service_pb2.PreviewCampaignResponse:
    """Writes a preview."""
    send_duration = Duration()
    send_duration.FromTimedelta(written.send_duration)
    return _Preview(
        audience_count=written.counts.audience_count,
        sendable_count=written.counts.sendable_count,
        skips=[stats_pb2.SkipCount(reason=reason, message_count=count) for reason, count in written.counts.skips],
        missing_variables=[_missing(missing) for missing in written.missing_variables],
        samples=[templates.rendered_message(sample) for sample in written.samples],
        send_duration=send_duration,
        problems=[_problem(problem) for problem in written.problems],
    )


def _missing(written: MissingVariable) -> campaigns_service_pb2.PreviewCampaignResponse.MissingVariable:
    return _Preview.MissingVariable(
        parameter=bindings.parameter(written.parameter), value=written.value, contact_count=written.contact_count
    )


def _problem(written: Refusal) -> campaigns_service_pb2.PreviewCampaignResponse.Problem:
    return _Preview.Problem(reason=written.reason, description=written.message)
