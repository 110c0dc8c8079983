"""Keys of accounts are not lost, not told and not sent to strangers."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_TOKENS = "tests/contract/test_amocrm_tokens.py"
_AT_REST = "tests/integration/store/test_secrets_at_rest.py"

ROWS = (
    Sabotage(
        name="a-new-pair-is-used-before-it-is-stored",
        hurts="a process that ends now takes the only key of the account with it",
        file="crm/amocrm/tokens.py",
        old="        stored = await held.save(new, moved_to)",
        new="        stored = new",
        tests=(f"{_TOKENS}::test_twenty_callers_in_two_processes_refresh_once_ahead_of_expiry",),
    ),
    Sabotage(
        name="a-refresh-is-sent-without-a-mark",
        hurts="nobody can tell a lost answer from a refused key, nor say what to do",
        file="crm/amocrm/tokens.py",
        old="                await held.mark_sent(self._now())",
        new="                pass",
        tests=(f"{_TOKENS}::test_a_refresh_that_was_answered_but_lost_is_recognised_and_says_what_to_do",),
    ),
    Sabotage(
        name="a-refresh-ends-with-whoever-waits-for-it",
        hurts="an orderly end of a worker throws the account's new key away",
        file="crm/amocrm/tokens.py",
        old="return await asyncio.shield(self._under_way)",
        new="return await self._under_way",
        tests=(
            "tests/integration/crm/test_key_is_kept.py::test_a_worker_that_is_told_to_end_waits_for_the_new_key",
        ),
    ),
    Sabotage(
        name="two-processes-refresh-at-once",
        hurts="the second refresh of one key is refused as used, and the account breaks",
        file="crm/amocrm/store.py",
        old="                await locks.take_for_session(conn, lock, timeout=120)",
        new="                pass",
        tests=(
            "tests/integration/crm/test_key_is_kept.py::test_two_processes_that_need_a_new_key_at_once_ask_for_one",
        ),
    ),
    Sabotage(
        name="a-grant-can-be-used-twice",
        hurts="whoever sees the address of a consent connects their own CRM to the account",
        file="gateway/store/crm_accounts/webhooks.py",
        old='"DELETE FROM oauth_state WHERE state = ANY($1) RETURNING',
        new='"UPDATE oauth_state SET state = state WHERE state = ANY($1) RETURNING',
        tests=(
            "tests/integration/api/test_oauth_return.py::test_who_comes_back_with_a_good_code_connects_the_account",
        ),
    ),
    Sabotage(
        name="keys-are-sent-to-any-host",
        hurts="an address that somebody wrote gets the integration's secret",
        file="crm/amocrm/wire_oauth.py",
        old="    if is_vendor_host(host) or host in allowed:\n        return found",
        new="    if host:\n        return found",
        tests=("tests/unit/crm/amocrm/test_trusted_addresses.py::test_a_named_host_is_that_host_only",),
    ),
    Sabotage(
        name="a-moved-account-is-followed-anywhere",
        hurts="a token that names a stranger's host has the refresh key sent there",
        file="crm/amocrm/wire_oauth.py",
        old='    if is_vendor_host(host) or host in allowed:\n        return f"https://{host}"',
        new='    if host:\n        return f"https://{host}"',
        tests=(
            "tests/unit/crm/amocrm/test_trusted_addresses.py::test_an_account_moves_to_hosts_of_the_vendor",
        ),
    ),
    Sabotage(
        name="a-wrong-key-starts-all-the-same",
        hurts="a process without the key of the secrets works with keys that nobody can read, and seals others over them",
        file="gateway/admin/protection/secrets_at_rest.py",
        old="            raise SecretsKeyMissing(missing)\n        # Without",
        new='            log.warning("secrets-unreadable", keys=missing)\n        # Without',
        tests=(f"{_AT_REST}::test_without_the_key_a_process_names_it_and_changes_nothing",),
    ),
    Sabotage(
        name="a-sealed-secret-opens-anywhere",
        hurts="who can write to the database puts one account's key into another's row",
        file="runtime/database/sealing.py",
        old='return "\\x00".join((self.table, self.column, *row)).encode()',
        new='return b"callmatrix"',
        tests=(f"{_AT_REST}::test_a_secret_that_was_moved_to_another_row_opens_nothing",),
    ),
    Sabotage(
        name="keys-are-stored-in-plain-text",
        hurts="a copy of the database lets its finder into every CRM",
        file="runtime/database/sealing.py",
        old="        if not self._keys:\n            return text",
        new="        if self._keys:\n            return text",
        tests=(f"{_AT_REST}::test_no_secret_stands_in_any_table_and_each_comes_back",),
    ),
)
