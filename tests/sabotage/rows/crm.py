"""Our copy of the CRM follows the CRM, believes nothing that it can look up, and stops at no row."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_EVENTS = "tests/integration/crm/test_sync_events.py"
_TEXT = "tests/integration/crm/test_unstorable_text.py"

ROWS = (
    Sabotage(
        name="merges-and-restores-are-not-followed",
        hurts="a caller rings whoever owned a contact that was merged away",
        file="crm/sync/events.py",
        old='        elif kinds & {"restored", "merged"} or ref in changed_links:',
        new="        elif ref in changed_links:",
        tests=(f"{_EVENTS}::test_a_restored_entity_comes_back_with_its_links",),
    ),
    Sabotage(
        name="webhooks-are-believed",
        hurts="a forged or late webhook puts clients into the directory who are not in the CRM",
        file="crm/sync/changes.py",
        old="    doubted = _doubted(present, known)",
        new="    doubted: set[EntityRef] = set()",
        tests=(
            "tests/integration/crm/test_webhooks_are_hints.py::test_a_change_of_what_is_not_in_the_crm_is_looked_up_and_not_believed",
        ),
    ),
    Sabotage(
        name="an-older-copy-replaces-a-newer-one",
        hurts="the owner of a client goes back to the former one",
        file="crm/store/directory.py",
        old='" WHERE e.updated_at > n.at",',
        new='" WHERE e.updated_at > n.at AND false",',
        tests=("tests/integration/crm/test_sync_store.py::test_an_older_copy_does_not_replace_a_newer_one",),
    ),
    Sabotage(
        name="a-webhook-that-the-database-refuses-ends-the-work",
        hurts="one webhook with a NUL byte ends all CRM traffic of its account, for ever",
        file="gateway/crm_accounts/account_worker.py",
        old="            if not is_refused(err):\n                raise",
        new="            if err:\n                raise",
        tests=(
            f"{_TEXT}::test_a_webhook_that_the_database_refuses_is_set_aside_and_its_neighbours_are_taken",
        ),
    ),
    Sabotage(
        name="one-bad-row-ends-its-page",
        hurts="one contact that reads oddly keeps every later change from arriving, and the writer from writing",
        file="crm/amocrm/rows/page.py",
        old="    except CrmUnreadable as err:\n        lost = LostRow",
        new="    except CrmUnreadable as err:\n        raise\n        lost = LostRow",
        tests=(
            "tests/integration/crm/test_odd_rows.py::test_a_load_polls_and_re_reads_go_on_whatever_a_row_holds",
        ),
    ),
    Sabotage(
        name="a-row-that-the-database-refuses-ends-its-page",
        hurts="the same for a row that reads well and cannot be stored",
        file="crm/sync/source.py",
        old="if not is_refused(err) or not (batch or heard):",
        new="if err:",
        tests=(f"{_TEXT}::test_a_row_that_the_database_refuses_is_noted_and_its_page_is_taken",),
    ),
    Sabotage(
        name="a-change-told-again-is-another",
        hurts="a stage that changed once is worked on for each way that the CRM tells of it",
        file="crm/news.py",
        old="    fitting = [change for change in history.changes if _fits(change, event)]",
        new="    fitting: list[ValueChange] = []",
        tests=("tests/unit/crm/test_news.py::test_the_feed_fills_in_who_did_it_and_when",),
    ),
    Sabotage(
        name="our-own-changes-are-news",
        hurts="what we write comes back as a change and starts the next one",
        file="gateway/crm_events/job.py",
        old="in self._hearers or not work.event.is_ours",
        new="in self._hearers or True",
        tests=(
            "tests/integration/crm/test_crm_events.py::test_a_stage_that_we_set_ourselves_starts_nothing",
        ),
    ),
    Sabotage(
        name="a-subject-is-not-locked",
        hurts="two workers do a consumer's work on one change twice",
        file="gateway/crm_events/job.py",
        old="            await locks.take(conn, locks.crm_subject(account_id, subject))\n",
        new="",
        tests=(
            "tests/integration/crm/test_crm_events.py::test_two_workers_with_one_subject_give_a_change_to_its_consumer_once",
        ),
    ),
    Sabotage(
        name="a-consumer-is-tried-once",
        hurts="a trouble that would have passed sets a change aside until a person looks",
        file="gateway/crm_events/job.py",
        old="is_aside = work.tries + 1 >= self._most_tries",
        new="is_aside = True",
        tests=(
            "tests/integration/crm/test_crm_events.py::test_what_a_consumer_cannot_work_on_is_set_aside_and_stops_nobody",
        ),
    ),
)
