"""All repositories on one connection, and the store that lends them; each noun has one line here."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cached_property

from core.db import Connection, Database
from core.repositories.account_events import AccountEvents
from core.repositories.api_keys import ApiKeys
from core.repositories.audit import Audit
from core.repositories.backlogs import Backlogs
from core.repositories.campaign_states import CampaignStates
from core.repositories.campaigns import Campaigns
from core.repositories.categories import Categories
from core.repositories.consent import Consent
from core.repositories.contact_imports import ContactImports
from core.repositories.contact_lists import ContactLists
from core.repositories.contacts import Contacts
from core.repositories.deliveries import Deliveries
from core.repositories.direct import Direct
from core.repositories.doubts import Doubts
from core.repositories.erasure import Erasure
from core.repositories.expansion import Expansion
from core.repositories.idempotency import Idempotency
from core.repositories.identities import Identities
from core.repositories.inbound import Inbound
from core.repositories.interactions import Interactions
from core.repositories.messages import Messages
from core.repositories.pauses import Pauses
from core.repositories.previews import Previews
from core.repositories.pumps import Pumps
from core.repositories.receipts import Receipts
from core.repositories.recounts import Recounts
from core.repositories.replays import Replays
from core.repositories.resumptions import Resumptions
from core.repositories.retries import Retries
from core.repositories.senders import Senders
from core.repositories.sending import Sending
from core.repositories.shards import Shards
from core.repositories.stats import Stats
from core.repositories.templates import Templates
from core.repositories.transactions import Transactions


class Rooms:
    """Offers every repository on one connection; each is made on first use."""

    def __init__(self, connection: Connection, outdated: set[str] | None = None) -> None:
        self._connection = connection
        self._outdated = outdated if outdated is not None else set[str]()

    def outdate(self, *collections: str) -> None:
        """Notes what kept replies are made of that changed; it is told once the change is committed.

        Outside of a transaction call it first: the answer of a statement may be lost though it is committed.
        """
        self._outdated.update(collections)

    @property
    def outdated(self) -> list[str]:
        """What was noted as outdated so far."""
        return sorted(self._outdated)

    @cached_property
    def account_events(self) -> AccountEvents:
        """What WhatsApp announced of our accounts."""
        return AccountEvents(self._connection)

    @cached_property
    def api_keys(self) -> ApiKeys:
        """Keys of callers."""
        return ApiKeys(self._connection)

    @cached_property
    def audit(self) -> Audit:
        """Who changed what."""
        return Audit(self._connection)

    @cached_property
    def backlogs(self) -> Backlogs:
        """What campaigns still have to do."""
        return Backlogs(self._connection)

    @cached_property
    def campaign_states(self) -> CampaignStates:
        """Verbs that move campaigns from state to state, and those with work to do."""
        return CampaignStates(self._connection)

    @cached_property
    def campaigns(self) -> Campaigns:
        """Campaigns and what people edit of them."""
        return Campaigns(self._connection)

    @cached_property
    def categories(self) -> Categories:
        """Labels on contacts, and who is in them."""
        return Categories(self._connection)

    @cached_property
    def consent(self) -> Consent:
        """Proof of who agreed to marketing and who refused it."""
        return Consent(self._connection)

    @cached_property
    def contact_imports(self) -> ContactImports:
        """Chunks of an import on their way to contacts."""
        return ContactImports(self._connection)

    @cached_property
    def contact_lists(self) -> ContactLists:
        """Contacts by page and by number."""
        return ContactLists(self._connection)

    @cached_property
    def contacts(self) -> Contacts:
        """Contacts and what people edit of them."""
        return Contacts(self._connection)

    @cached_property
    def deliveries(self) -> Deliveries:
        """Webhook bodies and the door's heartbeats."""
        return Deliveries(self._connection)

    @cached_property
    def direct(self) -> Direct:
        """Single messages and where they live."""
        return Direct(self._connection)

    @cached_property
    def doubts(self) -> Doubts:
        """Messages whose outcome is not known."""
        return Doubts(self._connection)

    @cached_property
    def erasure(self) -> Erasure:
        """Persons taken out of every row."""
        return Erasure(self._connection)

    @cached_property
    def expansion(self) -> Expansion:
        """Audiences made into messages."""
        return Expansion(self._connection)

    @cached_property
    def idempotency(self) -> Idempotency:
        """Replies by request id."""
        return Idempotency(self._connection)

    @cached_property
    def identities(self) -> Identities:
        """Contacts whose person is reached otherwise now."""
        return Identities(self._connection)

    @cached_property
    def inbound(self) -> Inbound:
        """What people and WhatsApp tell, on its way into rows."""
        return Inbound(self._connection)

    @cached_property
    def interactions(self) -> Interactions:
        """What people did."""
        return Interactions(self._connection)

    @cached_property
    def messages(self) -> Messages:
        """Messages as people are shown them."""
        return Messages(self._connection)

    @cached_property
    def previews(self) -> Previews:
        """What a start would do."""
        return Previews(self._connection)

    @cached_property
    def pauses(self) -> Pauses:
        """Pauses that errors bring about."""
        return Pauses(self._connection)

    @cached_property
    def pumps(self) -> Pumps:
        """Who sends for which sender."""
        return Pumps(self._connection)

    @cached_property
    def receipts(self) -> Receipts:
        """What WhatsApp says happened to messages."""
        return Receipts(self._connection)

    @cached_property
    def recounts(self) -> Recounts:
        """Counters compared with rows."""
        return Recounts(self._connection)

    @cached_property
    def replays(self) -> Replays:
        """Webhook bodies to be applied once more."""
        return Replays(self._connection)

    @cached_property
    def resumptions(self) -> Resumptions:
        """Campaigns that run on because their fault is over."""
        return Resumptions(self._connection)

    @cached_property
    def retries(self) -> Retries:
        """Failed messages given another try."""
        return Retries(self._connection)

    @cached_property
    def senders(self) -> Senders:
        """Our own WhatsApp numbers."""
        return Senders(self._connection)

    @cached_property
    def sending(self) -> Sending:
        """Messages in the course of one attempt."""
        return Sending(self._connection)

    @cached_property
    def shards(self) -> Shards:
        """Counters as writers left them, to be folded."""
        return Shards(self._connection)

    @cached_property
    def stats(self) -> Stats:
        """Numbers of messages."""
        return Stats(self._connection)

    @cached_property
    def templates(self) -> Templates:
        """Templates as last synced."""
        return Templates(self._connection)

    @cached_property
    def transactions(self) -> Transactions:
        """How the rest of the transaction goes about its statements."""
        return Transactions(self._connection)


class Store:
    """Lends the repositories, inside a transaction or without one."""

    def __init__(self, database: Database, *, outdate: Callable[[Iterable[str]], None] | None = None) -> None:
        """Takes whom to tell, after each commit, of the collections noted as outdated; None: no replies are kept."""
        self._database = database
        self._outdate = outdate

    @property
    def is_heard(self) -> bool:
        """Whether somebody is told of what is outdated."""
        return self._outdate is not None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Rooms]:
        """Lends rooms whose changes commit together when the block ends and roll back when it raises."""
        async with self._telling() as outdated, self._database.transaction() as connection:
            yield Rooms(connection, outdated)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Rooms]:
        """Lends rooms without a transaction: each statement commits by itself."""
        async with self._telling() as outdated, self._database.connection() as connection:
            yield Rooms(connection, outdated)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Rooms]:
        """Lends rooms that show the rows as of one moment, and change none."""
        async with self._database.snapshot() as connection:
            yield Rooms(connection)

    @asynccontextmanager
    async def _telling(self) -> AsyncIterator[set[str]]:
        """Tells what was noted in the end, however it ends: a commit may be made of which no answer comes."""
        outdated = set[str]()
        try:
            yield outdated
        finally:
            if outdated and self._outdate is not None:
                self._outdate(outdated)
