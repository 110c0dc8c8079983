"""What the import of a configuration file changes, warns of and finds in its tests, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "config.employee": "employee {name}",
    "config.connection": "connection {name}",
    "config.added": "{what}: added",
    "config.removed": "{what}: removed",
    "config.changed-matrix": "matrix {where}: {text}",
    "config.nothing": "nothing",
    "config.nobody": "nobody",
    "config.empty": "empty",
    "config.schedule": "schedule {name}",
    "config.schedule-stays": "schedule '{name}' is not in the file; it stays as it is",
    "config.schedule-warning": "{where}: {message}; {remedy}",
    "config.template": "template {name}",
    "config.template-stays": "template '{name}' is not in the file; it stays as it is",
    "config.template-warning": "{where}: {message}; {remedy}",
    "config.attachment": "deals of stage {name}",
    "config.attachment-stays": "the deals of stage {stage} go on being given by template '{name}', which the file does not say",
    "config.campaign": "campaign {name}",
    "config.campaign-stays": "campaign '{name}' is not in the file; it stays as it is",
    "config.campaign-finished": "campaign '{name}' has finished: no file starts it again",
    "config.trigger": "trigger {name}",
    "config.trigger-stays": "trigger '{name}' is not in the file; it stays as it is",
    "config.trigger-warning": "{where}: {message}; {remedy}",
    "config.sms": "SMS provider {name}",
    "config.sms-stays": "SMS provider '{name}' is not in the file; it stays as it is",
    "config.sms-lacks": "SMS provider '{name}' lacks {names}: set them on the connection, since no file carries keys",
    "config.connection-stays": "connection '{name}' is not in the file; it stays as it is",
    "config.connection-lost-keys": "connection '{name}' is of another kind now: its keys {keys} are gone",
    "config.connection-lacks-keys-of-kind": "connection '{name}' is of another kind now: its PBX needs keys of its own, which no file carries; set them on the connection",
    "config.connection-lacks-keys": "connection '{name}' is new: its PBX needs keys of its own, which no file carries; set them on the connection",
    "config.draft-replaced": "the draft that {who} saved is replaced",
    "config.matrix-warning": "matrix.{cell}: {message}; {remedy}",
    "config.published-matrix-error": "the published matrix: {cell}: {message}; {remedy}",
    "config.test-orders": "orders: {got}; expected: {expected}",
    "config.test-owner-unmapped": "the expected responsible '{expected}' is not an employee with a CRM user",
    "config.test-owner": "created for {got}, expected {expected}",
    "config.test-matrix": "decided by {got}, expected {expected}",
}  # fmt: skip
