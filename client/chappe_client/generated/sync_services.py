"""Made from proto/; never edited."""

from collections.abc import Iterable, Iterator

from chappe_client.generated.chappe import v1
from chappe_client.generated.google import protobuf
from chappe_client.sync_calls import SyncCalls


class TemplatesService:
    """Shows the templates that WhatsApp holds for the business."""

    def __init__(self, calls: SyncCalls) -> None:
        """Calls through the given calls."""
        self._calls = calls

    def get_template(self, request: v1.GetTemplateRequest, *, timeout: float | None = None) -> v1.Template:
        """Returns one template. Refuses with `TEMPLATE_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.TemplatesService/GetTemplate", request, v1.Template, timeout=timeout)

    def list_templates(self, request: v1.ListTemplatesRequest, *, timeout: float | None = None) -> v1.ListTemplatesResponse:
        """Returns one page of templates, oldest first. Refuses with `PAGE_TOKEN_INVALID`."""
        return self._calls.unary_unary("/chappe.v1.TemplatesService/ListTemplates", request, v1.ListTemplatesResponse, timeout=timeout)

    def list_all_templates(self, request: v1.ListTemplatesRequest | None = None) -> Iterator[v1.Template]:
        """Returns all templates that match, page after page, from the request's own page on."""
        return self._calls.pages(self.list_templates, request or v1.ListTemplatesRequest(), lambda page: page.templates)

    def sync_templates(self, request: v1.SyncTemplatesRequest, *, timeout: float | None = None) -> v1.SyncTemplatesResponse:
        """Reads all templates of a sender's WhatsApp account from WhatsApp; those gone there become DELETED
        here. Refuses with `SENDER_NOT_FOUND`, `CREDENTIAL_INVALID`, `WHATSAPP_OBJECT_NOT_FOUND` (WhatsApp
        does not know the account), `WHATSAPP_LIMIT_REACHED`, `WHATSAPP_UNAVAILABLE`.
        """
        return self._calls.unary_unary("/chappe.v1.TemplatesService/SyncTemplates", request, v1.SyncTemplatesResponse, timeout=timeout)

    def preview_template(self, request: v1.PreviewTemplateRequest, *, timeout: float | None = None) -> v1.PreviewTemplateResponse:
        """Shows a template filled for one contact, or with the examples given at its approval. Sends nothing.
        Refuses with `TEMPLATE_NOT_FOUND`, `CONTACT_NOT_FOUND`, `BINDING_INVALID`.
        """
        return self._calls.unary_unary("/chappe.v1.TemplatesService/PreviewTemplate", request, v1.PreviewTemplateResponse, timeout=timeout)


class CampaignsService:
    """Prepares campaigns, runs them and shows how they go."""

    def __init__(self, calls: SyncCalls) -> None:
        """Calls through the given calls."""
        self._calls = calls

    def get_campaign(self, request: v1.GetCampaignRequest, *, timeout: float | None = None) -> v1.Campaign:
        """Returns one campaign. Refuses with `CAMPAIGN_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.CampaignsService/GetCampaign", request, v1.Campaign, timeout=timeout)

    def list_campaigns(self, request: v1.ListCampaignsRequest, *, timeout: float | None = None) -> v1.ListCampaignsResponse:
        """Returns one page of campaigns, newest first. Refuses with `PAGE_TOKEN_INVALID`."""
        return self._calls.unary_unary("/chappe.v1.CampaignsService/ListCampaigns", request, v1.ListCampaignsResponse, timeout=timeout)

    def list_all_campaigns(self, request: v1.ListCampaignsRequest | None = None) -> Iterator[v1.Campaign]:
        """Returns all campaigns that match, page after page, from the request's own page on."""
        return self._calls.pages(self.list_campaigns, request or v1.ListCampaignsRequest(), lambda page: page.campaigns)

    def create_campaign(self, request: v1.CreateCampaignRequest, *, timeout: float | None = None) -> v1.Campaign:
        """Creates a draft and returns it. Refuses with `SENDER_NOT_FOUND`, `TEMPLATE_NOT_FOUND`,
        `CATEGORY_NOT_FOUND`, `TEMPLATE_OF_OTHER_ACCOUNT`, `BINDING_INVALID`, `AUDIENCE_INVALID`,
        `DISPLAY_NAME_MISSING` (nothing but spaces).
        """
        return self._calls.unary_unary("/chappe.v1.CampaignsService/CreateCampaign", request, v1.Campaign, timeout=timeout)

    def update_campaign(self, request: v1.UpdateCampaignRequest, *, timeout: float | None = None) -> v1.Campaign:
        """Changes the named fields of a DRAFT and returns it; in other states only display_name and
        messages_per_second may change. Refuses with `CAMPAIGN_NOT_FOUND`, `CAMPAIGN_NOT_EDITABLE`,
        `ETAG_MISMATCH`, `UPDATE_MASK_INVALID` and the reasons of CreateCampaign.
        """
        return self._calls.unary_unary("/chappe.v1.CampaignsService/UpdateCampaign", request, v1.Campaign, timeout=timeout)

    def delete_campaign(self, request: v1.DeleteCampaignRequest, *, timeout: float | None = None) -> None:
        """Deletes a DRAFT. Refuses with `CAMPAIGN_NOT_FOUND`, `CAMPAIGN_NOT_DELETABLE`, `ETAG_MISMATCH`."""
        self._calls.unary_unary("/chappe.v1.CampaignsService/DeleteCampaign", request, protobuf.Empty, timeout=timeout)

    def preview_campaign(self, request: v1.PreviewCampaignRequest, *, timeout: float | None = None) -> v1.PreviewCampaignResponse:
        """Shows what a start would do: how many it reaches, whom it skips and why, what is missing, samples, and
        how long it takes. Changes nothing. Refuses with `CAMPAIGN_NOT_FOUND`.
        """
        return self._calls.unary_unary("/chappe.v1.CampaignsService/PreviewCampaign", request, v1.PreviewCampaignResponse, timeout=timeout)

    def start_campaign(self, request: v1.StartCampaignRequest, *, timeout: float | None = None) -> v1.Campaign:
        """Starts a DRAFT or SCHEDULED campaign, now or at schedule_time, and returns it before its audience is
        expanded. Refuses with `CAMPAIGN_NOT_FOUND`, `CAMPAIGN_NOT_STARTABLE`, `ETAG_MISMATCH`,
        `SCHEDULE_TIME_PAST`, `AUDIENCE_EMPTY`, `TEMPLATE_NOT_APPROVED`, `BINDING_MISSING`, `SENDER_PAUSED`.
        """
        return self._calls.unary_unary("/chappe.v1.CampaignsService/StartCampaign", request, v1.Campaign, timeout=timeout)

    def pause_campaign(self, request: v1.PauseCampaignRequest, *, timeout: float | None = None) -> v1.Campaign:
        """Pauses a RUNNING campaign: nothing planned is sent from within a second on, but a call that a frozen
        worker had begun. One that was paused automatically becomes the user's pause, so that it does not run
        on by itself when the cause is over. Refuses with `CAMPAIGN_NOT_FOUND`, `CAMPAIGN_NOT_PAUSABLE`, the
        latter also when a user paused it already.
        """
        return self._calls.unary_unary("/chappe.v1.CampaignsService/PauseCampaign", request, v1.Campaign, timeout=timeout)

    def resume_campaign(self, request: v1.ResumeCampaignRequest, *, timeout: float | None = None) -> v1.Campaign:
        """Lets a PAUSED campaign run on, whatever paused it. Refuses with `CAMPAIGN_NOT_FOUND`,
        `CAMPAIGN_NOT_RESUMABLE`, and `TEMPLATE_NOT_APPROVED` when WhatsApp has disabled or deleted the
        template for good.
        """
        return self._calls.unary_unary("/chappe.v1.CampaignsService/ResumeCampaign", request, v1.Campaign, timeout=timeout)

    def cancel_campaign(self, request: v1.CancelCampaignRequest, *, timeout: float | None = None) -> v1.Campaign:
        """Stops a DRAFT, SCHEDULED, RUNNING or PAUSED campaign for good: what is PENDING becomes CANCELLED, what
        is in doubt is still settled but never sent again: it becomes CANCELLED, too, once evidence shows that
        it was not taken. Refuses with `CAMPAIGN_NOT_FOUND`, `CAMPAIGN_NOT_CANCELLABLE`.
        """
        return self._calls.unary_unary("/chappe.v1.CampaignsService/CancelCampaign", request, v1.Campaign, timeout=timeout)

    def retry_failed_messages(self, request: v1.RetryFailedMessagesRequest, *, timeout: float | None = None) -> v1.RetryFailedMessagesResponse:
        """Puts the FAILED messages of a RUNNING, PAUSED or COMPLETED campaign back to PENDING, where sending
        again can help; a COMPLETED campaign is RUNNING again. Refuses with `CAMPAIGN_NOT_FOUND`,
        `CAMPAIGN_NOT_RETRYABLE`, `NOTHING_TO_RETRY` (which has `too_early_count` and `may_arrive_count` in
        its metadata), and `TEMPLATE_NOT_APPROVED` when WhatsApp has disabled or deleted the template for
        good.
        """
        return self._calls.unary_unary("/chappe.v1.CampaignsService/RetryFailedMessages", request, v1.RetryFailedMessagesResponse, timeout=timeout)

    def watch_campaign(self, request: v1.WatchCampaignRequest, *, timeout: float | None = None) -> Iterator[v1.WatchCampaignResponse]:
        """Streams how a campaign goes: at once, then when something changed, at most twice a second; without a
        change every 15 seconds. Ends with the element of a final campaign, or after five minutes: then call
        again. Refuses with `CAMPAIGN_NOT_FOUND`.
        """
        return self._calls.unary_stream("/chappe.v1.CampaignsService/WatchCampaign", request, v1.WatchCampaignResponse, timeout=timeout)


class CategoriesService:
    """Groups contacts."""

    def __init__(self, calls: SyncCalls) -> None:
        """Calls through the given calls."""
        self._calls = calls

    def get_category(self, request: v1.GetCategoryRequest, *, timeout: float | None = None) -> v1.Category:
        """Returns one category. Refuses with `CATEGORY_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.CategoriesService/GetCategory", request, v1.Category, timeout=timeout)

    def list_categories(self, request: v1.ListCategoriesRequest, *, timeout: float | None = None) -> v1.ListCategoriesResponse:
        """Returns one page of categories, oldest first, each with its number of contacts. Refuses with
        `PAGE_TOKEN_INVALID`.
        """
        return self._calls.unary_unary("/chappe.v1.CategoriesService/ListCategories", request, v1.ListCategoriesResponse, timeout=timeout)

    def list_all_categories(self, request: v1.ListCategoriesRequest | None = None) -> Iterator[v1.Category]:
        """Returns all categories that match, page after page, from the request's own page on."""
        return self._calls.pages(self.list_categories, request or v1.ListCategoriesRequest(), lambda page: page.categories)

    def create_category(self, request: v1.CreateCategoryRequest, *, timeout: float | None = None) -> v1.Category:
        """Creates a category and returns it. Refuses with `CATEGORY_ALREADY_EXISTS` (display names are unique in
        any case) and `DISPLAY_NAME_MISSING` (nothing but spaces).
        """
        return self._calls.unary_unary("/chappe.v1.CategoriesService/CreateCategory", request, v1.Category, timeout=timeout)

    def update_category(self, request: v1.UpdateCategoryRequest, *, timeout: float | None = None) -> v1.Category:
        """Changes the named fields of a category and returns it. Refuses with `CATEGORY_NOT_FOUND`,
        `CATEGORY_ALREADY_EXISTS`, `DISPLAY_NAME_MISSING`, `UPDATE_MASK_INVALID`.
        """
        return self._calls.unary_unary("/chappe.v1.CategoriesService/UpdateCategory", request, v1.Category, timeout=timeout)

    def delete_category(self, request: v1.DeleteCategoryRequest, *, timeout: float | None = None) -> None:
        """Deletes a category; its contacts stay. Refuses with `CATEGORY_NOT_FOUND`, and with `CATEGORY_IN_USE`
        while a campaign that is not over has it in its audience.
        """
        self._calls.unary_unary("/chappe.v1.CategoriesService/DeleteCategory", request, protobuf.Empty, timeout=timeout)

    def add_contacts(self, request: v1.AddContactsRequest, *, timeout: float | None = None) -> v1.AddContactsResponse:
        """Puts up to 1000 contacts in a category; those already in it stay. Refuses with `CATEGORY_NOT_FOUND`,
        and with `CONTACT_NOT_FOUND` when any contact is missing (then nothing changes).
        """
        return self._calls.unary_unary("/chappe.v1.CategoriesService/AddContacts", request, v1.AddContactsResponse, timeout=timeout)

    def remove_contacts(self, request: v1.RemoveContactsRequest, *, timeout: float | None = None) -> v1.RemoveContactsResponse:
        """Takes up to 1000 contacts out of a category; those not in it are passed over. Refuses with
        `CATEGORY_NOT_FOUND`.
        """
        return self._calls.unary_unary("/chappe.v1.CategoriesService/RemoveContacts", request, v1.RemoveContactsResponse, timeout=timeout)


class ContactsService:
    """Keeps the people whom campaigns reach."""

    def __init__(self, calls: SyncCalls) -> None:
        """Calls through the given calls."""
        self._calls = calls

    def get_contact(self, request: v1.GetContactRequest, *, timeout: float | None = None) -> v1.Contact:
        """Returns one contact. Refuses with `CONTACT_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.ContactsService/GetContact", request, v1.Contact, timeout=timeout)

    def list_contacts(self, request: v1.ListContactsRequest, *, timeout: float | None = None) -> v1.ListContactsResponse:
        """Returns one page of contacts: oldest first, or with a prefix in the order of the number or the name
        searched. Where several filters together match few of very many contacts, a page may hold fewer than
        asked, even none, and still be followed by another: only an empty next_page_token says that there are
        no more. Refuses with `PAGE_TOKEN_INVALID`.
        """
        return self._calls.unary_unary("/chappe.v1.ContactsService/ListContacts", request, v1.ListContactsResponse, timeout=timeout)

    def list_all_contacts(self, request: v1.ListContactsRequest | None = None) -> Iterator[v1.Contact]:
        """Returns all contacts that match, page after page, from the request's own page on."""
        return self._calls.pages(self.list_contacts, request or v1.ListContactsRequest(), lambda page: page.contacts)

    def create_contact(self, request: v1.CreateContactRequest, *, timeout: float | None = None) -> v1.Contact:
        """Creates a contact and returns it. Refuses with `CONTACT_ALREADY_EXISTS` or `PHONE_NUMBER_INVALID`."""
        return self._calls.unary_unary("/chappe.v1.ContactsService/CreateContact", request, v1.Contact, timeout=timeout)

    def update_contact(self, request: v1.UpdateContactRequest, *, timeout: float | None = None) -> v1.Contact:
        """Changes the named fields of a contact and returns it. Refuses with `CONTACT_NOT_FOUND`,
        `CONTACT_ALREADY_EXISTS` (the new number belongs to another), `PHONE_NUMBER_INVALID`,
        `PHONE_NUMBER_MISSING` (no way to reach the person would be left), `UPDATE_MASK_INVALID`.
        """
        return self._calls.unary_unary("/chappe.v1.ContactsService/UpdateContact", request, v1.Contact, timeout=timeout)

    def delete_contact(self, request: v1.DeleteContactRequest, *, timeout: float | None = None) -> None:
        """Erases the person: the contact, its categories and every trace that holds a name or a number. What was
        sent stays counted, without a name; an opt-out stays known, so that importing the person again keeps
        it. Refuses with `CONTACT_NOT_FOUND`, and with `CONTACT_BUSY` while a message to the contact is on its
        way out, with a RetryInfo that says when to come back: most often in half a second; if its worker
        died, it is over with the lease of the message (CHAPPE_LEASE_SECONDS). The same where others hold what
        tells of the person for longer than half a second.
        """
        self._calls.unary_unary("/chappe.v1.ContactsService/DeleteContact", request, protobuf.Empty, timeout=timeout)

    def count_contacts(self, request: v1.CountContactsRequest, *, timeout: float | None = None) -> v1.CountContactsResponse:
        """Counts the contacts that match, exactly."""
        return self._calls.unary_unary("/chappe.v1.ContactsService/CountContacts", request, v1.CountContactsResponse, timeout=timeout)

    def batch_get_contacts(self, request: v1.BatchGetContactsRequest, *, timeout: float | None = None) -> v1.BatchGetContactsResponse:
        """Returns up to 1000 contacts by name, in the order asked. Refuses with `CONTACT_NOT_FOUND` when any is
        missing.
        """
        return self._calls.unary_unary("/chappe.v1.ContactsService/BatchGetContacts", request, v1.BatchGetContactsResponse, timeout=timeout)

    def batch_upsert_contacts(self, request: v1.BatchUpsertContactsRequest, *, timeout: float | None = None) -> v1.BatchUpsertContactsResponse:
        """Creates or updates up to 1000 contacts in one transaction, matched by phone_number or
        whatsapp_user_id. A bad item is reported in its own result and does not stop the others.
        """
        return self._calls.unary_unary("/chappe.v1.ContactsService/BatchUpsertContacts", request, v1.BatchUpsertContactsResponse, timeout=timeout)

    def import_contacts(self, requests: Iterable[v1.ImportContactsRequest], *, timeout: float | None = None) -> Iterator[v1.ImportContactsResponse]:
        """Imports contacts from the bytes of a CSV file or from rows, streamed in; streams back progress,
        rejected rows and at the end a summary. The first message carries the configuration, each message may
        carry bytes or rows, not both in one stream. A bad row never stops the rest; importing the same file
        again changes nothing. Rows committed before a broken stream stay. Over HTTP the file is the body and
        the configuration is in the query. Refuses with `ENCODING_UNKNOWN`, `HEADER_UNREADABLE`,
        `PHONE_COLUMN_MISSING`, `CATEGORY_NOT_FOUND`, `IMPORT_MIXED`.
        """
        return self._calls.stream_stream("/chappe.v1.ContactsService/ImportContacts", requests, v1.ImportContactsResponse, timeout=timeout)

    def export_contacts(self, request: v1.ExportContactsRequest, *, timeout: float | None = None) -> Iterator[v1.ExportContactsResponse]:
        """Streams every contact that matches, oldest first, then a footer with their number. A stream without
        footer is incomplete.
        """
        return self._calls.unary_stream("/chappe.v1.ContactsService/ExportContacts", request, v1.ExportContactsResponse, timeout=timeout)

    def record_consent(self, request: v1.RecordConsentRequest, *, timeout: float | None = None) -> v1.Contact:
        """Records that a person agreed to marketing or refused it, with its proof, and returns the contact. An
        event older than the one on record is kept as proof but changes nothing. An opt-out also skips what is
        still PENDING of marketing. Refuses with `CONTACT_NOT_FOUND`, `EVENT_TIME_INVALID` (in the future).
        """
        return self._calls.unary_unary("/chappe.v1.ContactsService/RecordConsent", request, v1.Contact, timeout=timeout)


class MessagesService:
    """Shows for every single contact what happened, and sends single messages."""

    def __init__(self, calls: SyncCalls) -> None:
        """Calls through the given calls."""
        self._calls = calls

    def get_message(self, request: v1.GetMessageRequest, *, timeout: float | None = None) -> v1.Message:
        """Returns one message with its contact. Refuses with `MESSAGE_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.MessagesService/GetMessage", request, v1.Message, timeout=timeout)

    def list_messages(self, request: v1.ListMessagesRequest, *, timeout: float | None = None) -> v1.ListMessagesResponse:
        """Returns one page of messages with their contacts: of one campaign in the order they were planned, of
        one contact newest first, of all the newest campaign's first and in it newest first. Refuses with
        `CAMPAIGN_NOT_FOUND`, `PAGE_TOKEN_INVALID`.
        """
        return self._calls.unary_unary("/chappe.v1.MessagesService/ListMessages", request, v1.ListMessagesResponse, timeout=timeout)

    def list_all_messages(self, request: v1.ListMessagesRequest | None = None) -> Iterator[v1.Message]:
        """Returns all messages that match, page after page, from the request's own page on."""
        return self._calls.pages(self.list_messages, request or v1.ListMessagesRequest(), lambda page: page.messages)

    def send_message(self, request: v1.SendMessageRequest, *, timeout: float | None = None) -> v1.Message:
        """Sends one message, ahead of all campaigns, and returns it as PENDING. Refuses with `SENDER_NOT_FOUND`,
        `SENDER_PAUSED`, `CONTACT_NOT_FOUND`, `PHONE_NUMBER_INVALID`, `TEMPLATE_NOT_FOUND`,
        `TEMPLATE_NOT_APPROVED`, `BINDING_MISSING`, `OPTED_OUT`, `SERVICE_WINDOW_CLOSED` (a text to someone
        who did not write in the last 24 h).
        """
        return self._calls.unary_unary("/chappe.v1.MessagesService/SendMessage", request, v1.Message, timeout=timeout)

    def export_messages(self, request: v1.ExportMessagesRequest, *, timeout: float | None = None) -> Iterator[v1.ExportMessagesResponse]:
        """Streams all messages of a campaign that match, with their contacts: who got it, who did not, and why.
        Then a footer with their number; a stream without footer is incomplete. Refuses with
        `CAMPAIGN_NOT_FOUND`.
        """
        return self._calls.unary_stream("/chappe.v1.MessagesService/ExportMessages", request, v1.ExportMessagesResponse, timeout=timeout)

    def list_interactions(self, request: v1.ListInteractionsRequest, *, timeout: float | None = None) -> v1.ListInteractionsResponse:
        """Returns one page of what people did: in answer to a campaign or a message the last done first, of all
        the last learned of first. Refuses with `CAMPAIGN_NOT_FOUND`, `MESSAGE_NOT_FOUND`,
        `PAGE_TOKEN_INVALID`.
        """
        return self._calls.unary_unary("/chappe.v1.MessagesService/ListInteractions", request, v1.ListInteractionsResponse, timeout=timeout)

    def list_all_interactions(self, request: v1.ListInteractionsRequest | None = None) -> Iterator[v1.Interaction]:
        """Returns all interactions that match, page after page, from the request's own page on."""
        return self._calls.pages(self.list_interactions, request or v1.ListInteractionsRequest(), lambda page: page.interactions)

    def count_interactions(self, request: v1.CountInteractionsRequest, *, timeout: float | None = None) -> v1.CountInteractionsResponse:
        """Counts what people did in answer to a campaign, by kind. Refuses with `CAMPAIGN_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.MessagesService/CountInteractions", request, v1.CountInteractionsResponse, timeout=timeout)


class SendersService:
    """Keeps the numbers that messages go out from."""

    def __init__(self, calls: SyncCalls) -> None:
        """Calls through the given calls."""
        self._calls = calls

    def get_sender(self, request: v1.GetSenderRequest, *, timeout: float | None = None) -> v1.Sender:
        """Returns one sender. Refuses with `SENDER_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.SendersService/GetSender", request, v1.Sender, timeout=timeout)

    def list_senders(self, request: v1.ListSendersRequest, *, timeout: float | None = None) -> v1.ListSendersResponse:
        """Returns one page of senders, oldest first. Refuses with `PAGE_TOKEN_INVALID`."""
        return self._calls.unary_unary("/chappe.v1.SendersService/ListSenders", request, v1.ListSendersResponse, timeout=timeout)

    def list_all_senders(self, request: v1.ListSendersRequest | None = None) -> Iterator[v1.Sender]:
        """Returns all senders that match, page after page, from the request's own page on."""
        return self._calls.pages(self.list_senders, request or v1.ListSendersRequest(), lambda page: page.senders)

    def create_sender(self, request: v1.CreateSenderRequest, *, timeout: float | None = None) -> v1.Sender:
        """Creates a sender and returns it. WhatsApp is asked about it within seconds; a number that it does not
        know is then PAUSED, with that reason. Refuses with `SENDER_ALREADY_EXISTS`.
        """
        return self._calls.unary_unary("/chappe.v1.SendersService/CreateSender", request, v1.Sender, timeout=timeout)

    def update_sender(self, request: v1.UpdateSenderRequest, *, timeout: float | None = None) -> v1.Sender:
        """Changes the named fields of a sender and returns it. Refuses with `SENDER_NOT_FOUND`,
        `UPDATE_MASK_INVALID`.
        """
        return self._calls.unary_unary("/chappe.v1.SendersService/UpdateSender", request, v1.Sender, timeout=timeout)

    def delete_sender(self, request: v1.DeleteSenderRequest, *, timeout: float | None = None) -> None:
        """Deletes a sender that was never used. Refuses with `SENDER_NOT_FOUND`, `SENDER_IN_USE`."""
        self._calls.unary_unary("/chappe.v1.SendersService/DeleteSender", request, protobuf.Empty, timeout=timeout)

    def pause_sender(self, request: v1.PauseSenderRequest, *, timeout: float | None = None) -> v1.Sender:
        """Stops everything a sender has to send, from ACTIVE, within a second. Pausing twice is harmless.
        Refuses with `SENDER_NOT_FOUND`.
        """
        return self._calls.unary_unary("/chappe.v1.SendersService/PauseSender", request, v1.Sender, timeout=timeout)

    def resume_sender(self, request: v1.ResumeSenderRequest, *, timeout: float | None = None) -> v1.Sender:
        """Lets a PAUSED sender send again. Resuming twice is harmless. Refuses with `SENDER_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.SendersService/ResumeSender", request, v1.Sender, timeout=timeout)

    def refresh_sender(self, request: v1.RefreshSenderRequest, *, timeout: float | None = None) -> v1.Sender:
        """Asks WhatsApp for a sender's number, verified name, quality, limit and throughput, and returns it.
        Refuses with `SENDER_NOT_FOUND`, `CREDENTIAL_INVALID`, `WHATSAPP_OBJECT_NOT_FOUND` (WhatsApp does not
        know the number), `WHATSAPP_LIMIT_REACHED`, `WHATSAPP_UNAVAILABLE`.
        """
        return self._calls.unary_unary("/chappe.v1.SendersService/RefreshSender", request, v1.Sender, timeout=timeout)


class StatsService:
    """Answers with numbers, each in a few rows however many messages there are."""

    def __init__(self, calls: SyncCalls) -> None:
        """Calls through the given calls."""
        self._calls = calls

    def get_message_stats(self, request: v1.GetMessageStatsRequest, *, timeout: float | None = None) -> v1.MessageStats:
        """Returns the numbers of the whole deployment."""
        return self._calls.unary_unary("/chappe.v1.StatsService/GetMessageStats", request, v1.MessageStats, timeout=timeout)

    def get_campaign_stats(self, request: v1.GetCampaignStatsRequest, *, timeout: float | None = None) -> v1.CampaignStats:
        """Returns the numbers of one campaign. Refuses with `CAMPAIGN_NOT_FOUND`."""
        return self._calls.unary_unary("/chappe.v1.StatsService/GetCampaignStats", request, v1.CampaignStats, timeout=timeout)

    def batch_get_campaign_stats(self, request: v1.BatchGetCampaignStatsRequest, *, timeout: float | None = None) -> v1.BatchGetCampaignStatsResponse:
        """Returns the numbers of up to 100 campaigns, in the order asked. Refuses with `CAMPAIGN_NOT_FOUND` when
        any is missing.
        """
        return self._calls.unary_unary("/chappe.v1.StatsService/BatchGetCampaignStats", request, v1.BatchGetCampaignStatsResponse, timeout=timeout)

    def get_dashboard(self, request: v1.GetDashboardRequest, *, timeout: float | None = None) -> v1.Dashboard:
        """Returns what a first screen shows."""
        return self._calls.unary_unary("/chappe.v1.StatsService/GetDashboard", request, v1.Dashboard, timeout=timeout)

    def get_time_series(self, request: v1.GetTimeSeriesRequest, *, timeout: float | None = None) -> v1.TimeSeries:
        """Returns how many messages reached each milestone per minute or hour. Refuses with
        `CAMPAIGN_NOT_FOUND`, `TIME_RANGE_INVALID` (the end is not after the start, or over 1500 buckets).
        """
        return self._calls.unary_unary("/chappe.v1.StatsService/GetTimeSeries", request, v1.TimeSeries, timeout=timeout)

    def get_cache_stats(self, request: v1.GetCacheStatsRequest, *, timeout: float | None = None) -> v1.CacheStats:
        """Returns what the cache did in the answering process since it started."""
        return self._calls.unary_unary("/chappe.v1.StatsService/GetCacheStats", request, v1.CacheStats, timeout=timeout)
