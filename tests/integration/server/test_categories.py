"""Categories as a caller sees them: real server, real database."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from chappe.v1 import categories_pb2, contacts_service_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from tests.helpers import campaign_rows
from tests.helpers.contacts_api import ContactsApi, serving_contacts

requests = categories_pb2


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ContactsApi]:
    async with serving_contacts(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


async def count_of(api: ContactsApi, category: requests.Category) -> int:
    read = await api.call(api.categories.GetCategory, requests.GetCategoryRequest(name=category.name))
    return int(read.contact_count)


async def test_a_display_name_is_unique_in_any_case_and_spacing(api: ContactsApi) -> None:
    category = await api.category(" VIP   guests ")
    assert category.display_name == "VIP guests"
    again = requests.CreateCategoryRequest(category=requests.Category(display_name="vip Guests"))
    assert await api.refusal(api.categories.CreateCategory, again) == "CATEGORY_ALREADY_EXISTS"
    other = await api.category("Other")
    renaming = requests.UpdateCategoryRequest(category=requests.Category(name=other.name, display_name="VIP GUESTS"))
    assert await api.refusal(api.categories.UpdateCategory, renaming) == "CATEGORY_ALREADY_EXISTS"


async def test_an_update_changes_the_named_fields_alone(api: ContactsApi) -> None:
    made = await api.category("VIP")
    category = requests.Category(name=made.name, display_name="ignored", description="Best guests")
    request = requests.UpdateCategoryRequest(category=category, update_mask=FieldMask(paths=["description"]))
    changed = await api.call(api.categories.UpdateCategory, request)
    assert (changed.display_name, changed.description) == ("VIP", "Best guests")
    nothing = requests.UpdateCategoryRequest(
        category=requests.Category(name=made.name), update_mask=FieldMask(paths=["display_name"])
    )
    assert await api.refusal(api.categories.UpdateCategory, nothing) == "DISPLAY_NAME_MISSING"


async def test_the_count_follows_every_change_exactly(api: ContactsApi) -> None:
    people = [await api.create(f"+3361234560{number}") for number in range(4)]
    category = await api.category("VIP", people[:3])
    assert category.contact_count == 3
    names = [contact.name for contact in people]
    adding = requests.AddContactsRequest(name=category.name, contacts=[*names, names[0]])
    reply = await api.call(api.categories.AddContacts, adding)
    assert (reply.added_count, reply.category.contact_count) == (1, 4)
    removing = requests.RemoveContactsRequest(name=category.name, contacts=names[:2])
    reply = await api.call(api.categories.RemoveContacts, removing)
    assert (reply.removed_count, reply.category.contact_count) == (2, 2)
    await api.call(api.contacts.DeleteContact, contacts_service_pb2.DeleteContactRequest(name=names[3]))
    assert await count_of(api, category) == 1


async def test_adding_an_unknown_contact_names_it_and_changes_nothing(api: ContactsApi) -> None:
    person = await api.create("+33612345678")
    category = await api.category("VIP")
    unknown = f"contacts/{UUID(int=7)}"
    adding = requests.AddContactsRequest(name=category.name, contacts=[person.name, unknown])
    assert await api.refusal(api.categories.AddContacts, adding) == "CONTACT_NOT_FOUND"
    assert await count_of(api, category) == 0


async def test_a_deleted_category_leaves_its_contacts(api: ContactsApi) -> None:
    person = await api.create("+33612345678")
    category = await api.category("VIP", [person])
    await api.call(api.categories.DeleteCategory, requests.DeleteCategoryRequest(name=category.name))
    [read] = await api.matching()
    assert (read.name, list(read.categories)) == (person.name, [])
    gone = requests.GetCategoryRequest(name=category.name)
    assert await api.refusal(api.categories.GetCategory, gone) == "CATEGORY_NOT_FOUND"


async def test_a_category_in_the_audience_of_a_live_campaign_cannot_be_deleted(api: ContactsApi) -> None:
    category = await api.category("VIP")
    async with api.database.connection() as connection:
        await connection.execute(
            "INSERT INTO campaigns (display_name, sender_id, template_id, category_ids) VALUES ('x', $1, $2, $3)",
            await campaign_rows.add_sender(connection),
            await campaign_rows.add_template(connection),
            [UUID(category.name.removeprefix("categories/"))],
        )
    deleting = requests.DeleteCategoryRequest(name=category.name)
    assert await api.refusal(api.categories.DeleteCategory, deleting) == "CATEGORY_IN_USE"
    await api.rows("UPDATE campaigns SET state = 'CANCELLED'")
    await api.call(api.categories.DeleteCategory, deleting)


async def test_a_list_walks_all_categories_once(api: ContactsApi) -> None:
    made = [(await api.category(f"C {number}")).name for number in range(5)]
    first = await api.call(api.categories.ListCategories, requests.ListCategoriesRequest(page_size=3))
    request = requests.ListCategoriesRequest(page_size=3, page_token=first.next_page_token)
    second = await api.call(api.categories.ListCategories, request)
    assert [category.name for category in [*first.categories, *second.categories]] == made
    assert second.next_page_token == ""
