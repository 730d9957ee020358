"""Templates in the words of the contract."""

from collections.abc import Collection

from chappe.v1 import templates_pb2

from core.domain.template_parts import Button, Component, RenderedMessage
from core.domain.templates import SyncCounts, Template, TemplateFilter
from server.wire import bindings, names, times


def template(written: Template) -> templates_pb2.Template:
    """Writes a template with its parts and the parameters to bind."""
    kinds = templates_pb2.Template
    return templates_pb2.Template(
        name=names.template_name(written.id),
        whatsapp_account_id=written.whatsapp_account_id,
        whatsapp_template_id=written.whatsapp_template_id,
        template_name=written.template_name,
        language_code=written.language_code,
        template_category=kinds.TemplateCategory.Value(f"TEMPLATE_CATEGORY_{written.template_category}"),
        state=kinds.State.Value(f"STATE_{written.state}"),
        parameter_format=kinds.ParameterFormat.Value(f"PARAMETER_FORMAT_{written.parameter_format}"),
        components=[_component(part) for part in written.components],
        parameters=[bindings.parameter(part) for part in written.parameters],
        quality=kinds.Quality.Value(f"QUALITY_{written.quality}"),
        rejected_reason=written.rejected_reason,
        sync_time=times.timestamp(written.sync_time),
        create_time=times.timestamp(written.create_time),
        update_time=times.timestamp(written.update_time),
    )


def read_filter(request: templates_pb2.ListTemplatesRequest) -> TemplateFilter:
    """Reads which templates a list is wanted of."""
    state = templates_pb2.Template.State.Name(request.state).removeprefix("STATE_")
    category = templates_pb2.Template.TemplateCategory.Name(request.template_category)
    return TemplateFilter(
        state=state if request.state else "",
        template_name=request.template_name,
        language_code=request.language_code,
        whatsapp_account_id=request.whatsapp_account_id,
        template_category=category.removeprefix("TEMPLATE_CATEGORY_") if request.template_category else "",
    )


def sync_counts(written: SyncCounts) -> templates_pb2.SyncTemplatesResponse:
    """Writes what a sync changed."""
    return templates_pb2.SyncTemplatesResponse(
        created_count=written.created_count,
        updated_count=written.updated_count,
        unchanged_count=written.unchanged_count,
        deleted_count=written.deleted_count,
    )


def rendered_message(written: RenderedMessage) -> templates_pb2.RenderedMessage:
    """Writes a message as a person would see it."""
    return templates_pb2.RenderedMessage(
        contact=names.contact_name(written.contact_id) if written.contact_id else "",
        header=written.header,
        body=written.body,
        footer=written.footer,
        buttons=written.buttons,
    )


def _component(part: Component) -> templates_pb2.TemplateComponent:
    kinds = templates_pb2.TemplateComponent
    header_format = f"FORMAT_{part.format or 'UNSPECIFIED'}"
    return templates_pb2.TemplateComponent(
        kind=kinds.Kind.Value(_known(kinds.Kind.keys(), f"KIND_{part.kind}", "KIND_OTHER")),
        format=kinds.Format.Value(_known(kinds.Format.keys(), header_format, "FORMAT_OTHER")),
        text=part.text,
        buttons=[_button(button) for button in part.buttons],
    )


def _button(button: Button) -> templates_pb2.TemplateButton:
    kinds = templates_pb2.TemplateButton.Kind
    return templates_pb2.TemplateButton(
        kind=kinds.Value(_known(kinds.keys(), f"KIND_{button.kind}", "KIND_OTHER")),
        text=button.text,
        url=button.url,
        phone_number=button.phone_number,
    )


def _known(names: Collection[str], name: str, otherwise: str) -> str:
    return name if name in names else otherwise
