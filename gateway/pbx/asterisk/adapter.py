"""Asterisk as a PbxKind: the dialplan asks by CURL(); call events come over AMI, or in the generic format from the dialplan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gateway.pbx.asterisk.cdr_csv import CdrCsv
from gateway.pbx.asterisk.fastagi import FastAgi
from gateway.pbx.asterisk.link import address_of
from gateway.pbx.asterisk.listener import AmiConnection
from gateway.pbx.asterisk.originate.orders import context_of
from gateway.pbx.asterisk.originate.originator import AmiOriginator
from gateway.pbx.asterisk.phones.watch import AmiPhones
from gateway.pbx.capabilities import Link, OpenCallLog, Originator, PresenceSource, QuestionPort, SettingType
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.port import Inbound, Parsed
from gateway.pbx.push_format import parse_push
from gateway.pbx.reading.payload import read_fields


class AsteriskKind(PbxKind):
    """`format=text` suits CURL() best: the address, or nothing, which is also what every failure of CURL() gives."""

    kind = "asterisk"
    has_plain_lookup = True
    keys = ("ami_user", "ami_secret")
    settings: ClassVar[Mapping[str, SettingType]] = {
        "ami_host": "text",
        "ami_port": "port",
        "ami_tls": "switch",
        "trunks": "list",
        "outside_prefix": "list",
        "originate_context": "text",
        "originate_technology": "text",
        "cdr_csv": "text",
        "cdr_csv_columns": "text",
    }

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        return parse_push(request, read_fields(request), connection)

    def instructions(self, name: str, secret: str, url: str) -> str:
        return f"""extensions.conf, in the context that receives calls from outside (whole recipe: deploy/pbx/asterisk):
  same => n,Set(CALLER=${{FILTER(+0-9a-zA-Z._\\-,${{CALLERID(num)}})}})
  same => n,Set(CURLOPT(conntimeout)=0.3)
  same => n,Set(CURLOPT(httptimeout)=0.8)
  same => n,Set(CURLOPT(failurecodes)=400,401,403,404,500,502,503,504)
  same => n,Set(CURLOPT(httpheader)=Authorization: Bearer {secret})
  same => n,Set(TARGET=${{CURL({url}/lookup?format=text&phone=${{URIENCODE(${{CALLER}})}}&did=${{URIENCODE(${{EXTEN}})}}&call_id=${{URIENCODE(${{UNIQUEID}})}})}})
  same => n,ExecIf($[${{LEN(${{FILTER(0-9a-zA-Z+*#@._\\-,${{TARGET}})}})}} != ${{LEN(${{TARGET}})}}]?Set(TARGET=))
  same => n,GotoIf($["${{TARGET}}"=""]?reserve)
  same => n,Dial(PJSIP/${{TARGET}},20)
  same => n(reserve),Dial(<who rings when nobody is responsible, e.g. PJSIP/100>,40)

manager.conf, so that the gateway hears about calls:
  [callmatrix]
  secret=<a secret of your choice>
  deny=0.0.0.0/0.0.0.0
  permit=<address of the gateway>/255.255.255.255
  read=call,cdr,user,agent,dialplan
  write=reporting
Then, unless you have given them already, tell the gateway:
  callmatrix connection set {name} --setting ami_host=<address of Asterisk> --key ami_user=callmatrix --key ami_secret=…"""

    def question_port(self) -> QuestionPort | None:
        return QuestionPort("fastagi_port", FastAgi)

    def call_log(self, connection: Connection) -> OpenCallLog | None:
        """Read from the file that Asterisk writes, where we can see it."""
        if not connection.settings.get("cdr_csv"):
            return None
        return lambda _session, _on_exchange: CdrCsv(connection)

    def link(self, connection: Connection) -> Link | None:
        """Return the manager interface, where its address is set."""
        address = address_of(connection)
        return None if address is None else AmiConnection(address)

    def presence(self, connection: Connection) -> PresenceSource | None:
        """Return the same, by a link of its own."""
        return None if address_of(connection) is None else AmiPhones()

    def originator(self, connection: Connection) -> Originator | None:
        """Return the manager interface, where it is told which context calls the client."""
        is_able = address_of(connection) is not None and context_of(connection)
        return AmiOriginator() if is_able else None
