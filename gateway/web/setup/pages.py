"""The pages of this room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gateway.store.admin.roles import Role
from gateway.web.frame import PageAnswer, PageRoute
from gateway.web.setup import crm, do_not_call, employees, held, not_sent, numbers, other, pbx, sms
from gateway.web.setup.other_fields import PARTS

SetupHandler = Callable[[Any], Awaitable[PageAnswer]]


def _get(path: str, handler: SetupHandler, role: Role = "admin") -> PageRoute:
    return PageRoute(method="GET", path=path, handler=handler, role=role, entry="setup")


def _post(path: str, handler: SetupHandler, role: Role = "admin") -> PageRoute:
    return PageRoute(method="POST", path=path, handler=handler, role=role, entry="setup", configures=True)


PAGES: tuple[PageRoute, ...] = (
    _get("/setup", crm.show, "senior_manager"),
    _post("/setup/crm/off", crm.switch_off),
    _post("/setup/crm/on", crm.switch_on),
    _post("/setup/crm/key", crm.give_key),
    _post("/setup/crm/oauth", crm.begin_oauth),
    _post("/setup/crm/refresh", crm.refresh),
    _get("/setup/exchanges", crm.show_exchanges),
    _get("/setup/held", held.choose),
    _post("/setup/held/start", held.start),
    _get("/setup/held/run", held.show_run),
    _get("/setup/held/stop", held.ask_stop),
    _post("/setup/held/{do:pause|resume|stop}", held.change_run),
    _get("/setup/held/discard", held.ask_discard),
    _post("/setup/held/discard", held.discard),
    _get("/setup/held/report", held.show_report),
    _get("/setup/held/report.csv", held.report_csv),
    _get("/setup/numbers", numbers.show),
    _get(other.PATH, other.show),
    _post(f"{other.PATH}/{{part:{'|'.join(PARTS)}}}", other.save),
    _get("/setup/pbx", pbx.show),
    _get("/setup/new-pbx", pbx.show_new),
    _post("/setup/new-pbx", pbx.add),
    _get("/setup/pbx/{connection}", pbx.show_one),
    _post("/setup/pbx/{connection}", pbx.change),
    _get("/setup/pbx/{connection}/wait", pbx.wait),
    _get("/setup/pbx/{connection}/secret", pbx.ask_new_secret),
    _post("/setup/pbx/{connection}/secret", pbx.change_secret),
    _get("/setup/pbx/{connection}/remove", pbx.ask_removal),
    _post("/setup/pbx/{connection}/remove", pbx.remove),
    _get(sms.PATH, sms.show),
    _get("/setup/new-sms-provider", sms.show_new),
    _post("/setup/new-sms-provider", sms.add),
    _get(f"{sms.PATH}/{{provider}}", sms.show_one),
    _post(f"{sms.PATH}/{{provider}}", sms.change),
    _post(f"{sms.PATH}/{{provider}}/check", sms.look_again),
    _post(f"{sms.PATH}/{{provider}}/test", sms.test),
    _get(f"{sms.PATH}/{{provider}}/remove", sms.ask_removal),
    _post(f"{sms.PATH}/{{provider}}/remove", sms.remove),
    _get("/setup/employees", employees.show, "senior_manager"),
    _get("/setup/new-employee", employees.show_new),
    _post("/setup/new-employee", employees.add),
    _post("/setup/import-employees", employees.import_users),
    _get("/setup/employees/{employee}", employees.show_one),
    _post("/setup/employees/{employee}", employees.change),
    _get("/setup/employees/{employee}/remove", employees.ask_removal),
    _post("/setup/employees/{employee}/remove", employees.remove),
    _get(do_not_call.PATH, do_not_call.show, "senior_manager"),
    _post(do_not_call.PATH, do_not_call.add, "senior_manager"),
    _post(f"{do_not_call.PATH}/list", do_not_call.add_all, "senior_manager"),
    _post(f"{do_not_call.PATH}/remove", do_not_call.remove, "senior_manager"),
    _get("/setup/not-sent", not_sent.show, "senior_manager"),
    _post("/setup/not-sent/retry", not_sent.retry, "senior_manager"),
    _post("/setup/not-sent/ignore", not_sent.ignore, "senior_manager"),
)
