"""CategoriesService: keeps the labels on contacts and who is in them."""

from uuid import UUID

from chappe.v1 import categories_pb2 as pb
from chappe.v1.categories_pb2_grpc import CategoriesServiceServicer
from google.protobuf.empty_pb2 import Empty

from core.clock import Clock
from core.domain.errors import NotFound, WrongState
from core.repositories.rooms import Rooms, Store
from server.mutations import Mutations
from server.wire import categories as wire
from server.wire import names
from server.wire.field_mask import changed_fields
from server.wire.page_token import cut, read_page

_MOST_NAMED = 10


class CategoriesService(CategoriesServiceServicer):
    """Serves categories."""

    def __init__(self, *, store: Store, mutations: Mutations, clock: Clock) -> None:
        """Takes where categories are kept."""
        self._store = store
        self._mutations = mutations
        self._clock = clock

    async def GetCategory(self, request: pb.GetCategoryRequest, context: object) -> pb.Category:
        """Returns one category."""
        async with self._store.connection() as rooms:
            return wire.category(await rooms.categories.get_category(names.parse_category(request.name)))

    async def ListCategories(self, request: pb.ListCategoriesRequest, context: object) -> pb.ListCategoriesResponse:
        """Returns one page of categories, oldest first."""
        page = read_page(request)
        async with self._store.connection() as rooms:
            found = await rooms.categories.list_categories(limit=page.size + 1, after=page.after_id)
        shown, token = cut(request, page, found)
        return pb.ListCategoriesResponse(categories=map(wire.category, shown), next_page_token=token)

    async def CreateCategory(self, request: pb.CreateCategoryRequest, context: object) -> pb.Category:
        """Creates a category."""
        display_name = wire.read_display_name(request.category.display_name)

        async def apply(rooms: Rooms) -> pb.Category:
            created = await rooms.categories.create_category(
                display_name, description=request.category.description, at=self._clock.now()
            )
            return wire.category(created)

        return await self._mutations.run(request, pb.Category, apply)

    async def UpdateCategory(self, request: pb.UpdateCategoryRequest, context: object) -> pb.Category:
        """Changes the named fields of a category."""
        category_id = names.parse_category(request.category.name)
        changed = changed_fields(request.update_mask, request.category, wire.SETTABLE)
        renamed = wire.read_display_name(request.category.display_name) if "display_name" in changed else None

        async def apply(rooms: Rooms) -> pb.Category:
            updated = await rooms.categories.update_category(
                category_id,
                display_name=renamed,
                description=request.category.description if "description" in changed else None,
                at=self._clock.now(),
            )
            return wire.category(updated)

        return await self._mutations.run(request, pb.Category, apply)

    async def DeleteCategory(self, request: pb.DeleteCategoryRequest, context: object) -> Empty:
        """Deletes a category that no campaign still needs; its contacts stay."""
        category_id = names.parse_category(request.name)

        async def apply(rooms: Rooms) -> Empty:
            await self._check_unused(rooms, category_id)
            await rooms.categories.delete_category(category_id)
            return Empty()

        return await self._mutations.run(request, Empty, apply)

    async def AddContacts(self, request: pb.AddContactsRequest, context: object) -> pb.AddContactsResponse:
        """Puts contacts in a category, all or none."""
        category_id = names.parse_category(request.name)
        contact_ids = sorted({names.parse_contact(name) for name in request.contacts})

        async def apply(rooms: Rooms) -> pb.AddContactsResponse:
            await rooms.categories.get_category(category_id)
            await self._check_known(rooms, contact_ids)
            added = await rooms.categories.add_category_contacts(category_id, contact_ids)
            changed = await rooms.categories.get_category(category_id)
            return pb.AddContactsResponse(category=wire.category(changed), added_count=added)

        return await self._mutations.run(request, pb.AddContactsResponse, apply)

    async def RemoveContacts(self, request: pb.RemoveContactsRequest, context: object) -> pb.RemoveContactsResponse:
        """Takes contacts out of a category; those not in it are passed over."""
        category_id = names.parse_category(request.name)
        contact_ids = sorted({names.parse_contact(name) for name in request.contacts})

        async def apply(rooms: Rooms) -> pb.RemoveContactsResponse:
            await rooms.categories.get_category(category_id)
            removed = await rooms.categories.remove_category_contacts(category_id, contact_ids)
            changed = await rooms.categories.get_category(category_id)
            return pb.RemoveContactsResponse(category=wire.category(changed), removed_count=removed)

        return await self._mutations.run(request, pb.RemoveContactsResponse, apply)

    async def _check_unused(self, rooms: Rooms, category_id: UUID) -> None:
        campaign_id = await rooms.categories.find_category_campaign(category_id)
        if campaign_id is not None:
            text = "A campaign that is not over has this category in its audience."
            raise WrongState("CATEGORY_IN_USE", text, campaign=names.campaign_name(campaign_id))

    async def _check_known(self, rooms: Rooms, contact_ids: list[UUID]) -> None:
        missing = await rooms.categories.find_missing_contacts(contact_ids)
        if missing:
            raise missing_contacts(missing)


def missing_contacts(missing: list[UUID]) -> NotFound:
    """Returns the refusal that names the contacts that do not exist, the first of them if they are many."""
    named = ", ".join(names.contact_name(contact_id) for contact_id in missing[:_MOST_NAMED])
    text = "Some contacts do not exist." if len(missing) > 1 else "There is no such contact."
    return NotFound("CONTACT_NOT_FOUND", text, contacts=named, missing_count=len(missing))
