"""Strangers get nothing, cost nothing, and write nothing into a dialplan."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_MANNERS = "tests/integration/doors/test_manners.py"

ROWS = (
    Sabotage(
        name="any-secret-opens-the-lookup",
        hurts="whoever finds the address asks whose client any number is",
        file="gateway/pbx/connection.py",
        old="return is_hash_of(token, self.secret_hash)",
        new="return bool(token)",
        tests=("tests/integration/pbx/test_answers.py::test_every_kind_refuses_a_wrong_secret",),
    ),
    Sabotage(
        name="bodies-are-read-before-the-secret-is-judged",
        hurts="strangers have their large bodies read and held",
        file="gateway/intake/endpoint.py",
        old="            if known is False:",
        new="            if known is None:",
        tests=(f"{_MANNERS}::test_every_refusal_is_a_problem_and_comes_before_the_body_is_sent",),
    ),
    Sabotage(
        name="a-body-has-no-limit",
        hurts="one body without a length fills the gateway's memory",
        file="gateway/http/body.py",
        old="                if size > limit.bytes:",
        new="                if size < 0:",
        tests=(f"{_MANNERS}::test_every_refusal_is_a_problem_and_comes_before_the_body_is_sent",),
    ),
    Sabotage(
        name="compressed-bodies-are-taken",
        hurts="ten kilobytes unpack to gigabytes and hold up every lookup",
        file="gateway/http/body.py",
        old="    if is_compressed(request):",
        new="    if not request:",
        tests=(f"{_MANNERS}::test_every_refusal_is_a_problem_and_comes_before_the_body_is_sent",),
    ),
    Sabotage(
        name="who-says-nothing-may-stay",
        hurts="idle connections use up all files, and no PBX gets in",
        file="gateway/http/connection.py",
        old="        return bool(began) and now - began > HEAD_SECONDS",
        new="        return bool(began) and now < began",
        tests=(f"{_MANNERS}::test_a_head_that_drips_is_cut_off_on_a_known_connection_too",),
    ),
    Sabotage(
        name="a-head-has-no-limit",
        hurts="a head that grows and grows fills the memory",
        file="gateway/http/connection.py",
        old="        if self._head_bytes > MAX_HEAD and self.transport is not None:",
        new="        if self._head_bytes < 0 and self.transport is not None:",
        tests=(f"{_MANNERS}::test_a_head_that_grows_and_grows_is_cut_off",),
    ),
    Sabotage(
        name="any-address-is-dialled",
        hurts="an employee's extension carries orders into the dialplan",
        file="routing/dialable.py",
        old="        if is_extension(address):",
        new="        if address:",
        tests=(
            "tests/integration/pbx/test_spoilt_addresses.py::test_what_no_phone_has_is_rung_in_no_dialect",
        ),
    ),
    Sabotage(
        name="a-webhooks-secret-is-not-looked-at",
        hurts="whoever knows an account's name writes into its directory",
        file="gateway/crm_accounts/secret_address.py",
        old="if account is None or not hmac.compare_digest(secret.encode(), account.webhook_secret.encode()):",
        new="if account is None or not secret:",
        tests=(f"{_MANNERS}::test_every_refusal_is_a_problem_and_comes_before_the_body_is_sent",),
    ),
    Sabotage(
        name="anybody-names-the-address-they-come-from",
        hurts="wrong secrets are counted against whomever an attacker names",
        file="gateway/http/peers.py",
        old="        if not (self._proxies or self._hops):\n            return peer",
        new="        if self._hops < 0:\n            return peer",
        tests=("tests/unit/gateway/http/test_peers.py::test_only_what_our_own_proxies_added_is_believed",),
    ),
    Sabotage(
        name="a-late-lookup-is-answered-as-if-in-time",
        hurts="a caller hears silence while the answer is worked out",
        file="gateway/lookup/endpoint.py",
        old="        if time.perf_counter() - began > self._deadline:",
        new="        if time.perf_counter() < began:",
        tests=(
            "tests/integration/pbx/test_always_answered.py::test_a_lookup_that_fails_or_is_late_is_answered_with_the_scheme",
        ),
    ),
    Sabotage(
        name="a-failed-lookup-is-an-error-page",
        hurts="a mistake of ours leaves the caller without an answer",
        file="gateway/lookup/endpoint.py",
        old='        except Exception:\n            log.exception("lookup-failed", connection=connection.name)\n            return self._written(connection, self._failed(asked))',
        new="        except ZeroDivisionError:\n            return self._written(connection, self._failed(asked))",
        tests=(
            "tests/integration/pbx/test_always_answered.py::test_a_lookup_that_fails_or_is_late_is_answered_with_the_scheme",
        ),
    ),
    Sabotage(
        name="secrets-may-be-guessed-at-will",
        hurts="whoever guesses a secret of the API is never held up",
        file="gateway/http/strangers.py",
        old="        wait = self._noted(door, request)",
        new="        wait = 0 * self._noted(door, request)",
        tests=(
            "tests/integration/doors/test_guessing.py::test_a_valid_secret_is_answered_at_once_after_a_thousand_wrong_ones[api]",
        ),
    ),
    Sabotage(
        name="what-was-known-once-is-known-for-ever",
        hurts="a connection that was switched off, or whose secret was changed, goes on asking",
        file="gateway/lookup/endpoint.py",
        old="        self._known.clear()\n        self._known_heads.clear()\n",
        new="        return\n",
        tests=(
            "tests/integration/doors/test_at_once.py::test_a_connection_that_is_switched_off_is_refused_on_open_lines_too",
        ),
    ),
    Sabotage(
        name="kept-page-of-another-session",
        hurts="whoever comes by the address reads what somebody else typed",
        file="gateway/web/sign_in/kept_pages.py",
        old='"\\n".join((call.who.csrf, ',
        new='"\\n".join((',
        tests=(
            "tests/integration/web/test_refused_forms.py"
            "::test_a_kept_page_is_for_its_session_in_its_language_for_a_quarter_of_an_hour",
        ),
    ),
    Sabotage(
        name="a-gateway-that-runs-wild-keeps-the-processor",
        hurts="whatever loops in the gateway's main thread stops everything else on the machine",
        file="runtime/lifecycle.py",
        old="        _end_turns_after(_AT_ONCE_MICROSECONDS)\n",
        new="",
        tests=(
            "tests/unit/runtime/test_whose_turn.py"
            "::test_who_answers_at_once_is_alone_in_that_and_goes_back_among_others_when_it_runs_wild",
        ),
    ),
)
