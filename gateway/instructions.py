"""The text to paste into a PBX when a connection is made: short here, whole in deploy/pbx/<kind>/."""

from __future__ import annotations

from collections.abc import Callable


def pbx_instructions(kind: str, name: str, secret: str, base_url: str) -> str:
    """base_url: how the PBX reaches the gateway. The secret stands in the text: show it once, never log it."""
    base = base_url.rstrip("/")
    return _TEXTS.get(kind, _generic)(name, secret, f"{base}/pbx/{name}")


def _generic(_name: str, secret: str, url: str) -> str:
    return f"""While the phone rings, ask (time-out at most 1 s; on any failure carry on with your own scheme):
  GET {url}/lookup?phone=<caller>&did=<dialled>&call_id=<id>&format=text
  Authorization: Bearer {secret}
The body is the extension to ring, or empty.

Push events (form or JSON) to:
  POST {url}/events        event=newCall|answer|hangup|recording, callId, from, to, direction=in|out
  Authorization: Bearer {secret}"""


def _asterisk(name: str, secret: str, url: str) -> str:
    return f"""extensions.conf, in the context that receives calls from outside (whole recipe: deploy/pbx/asterisk):
  same => n,Set(CURLOPT(conntimeout)=0.3)
  same => n,Set(CURLOPT(httptimeout)=0.8)
  same => n,Set(CURLOPT(failurecodes)=400,401,403,404,500,502,503,504)
  same => n,Set(CURLOPT(httpheader)=Authorization: Bearer {secret})
  same => n,Set(TARGET=${{CURL({url}/lookup?format=text&phone=${{URIENCODE(${{CALLERID(num)}})}}&did=${{EXTEN}}&call_id=${{UNIQUEID}})}})
  same => n,Set(TARGET=${{IF($["${{TARGET}}"=""]?${{FALLBACK}}:${{TARGET}})}})

manager.conf, so that the gateway hears about calls:
  [callmatrix]
  secret=<a secret of your choice>
  read=call,dialplan,cdr,user,agent
  write=originate,call,reporting
  permit=<address of the gateway>/255.255.255.255
Then tell the gateway: PATCH /api/v1/accounts/<account>/connections/{name} with
  {{"keys": {{"ami_user": "callmatrix", "ami_secret": "…"}}, "settings": {{"ami_host": "<address of Asterisk>"}}}}"""


def _ringostat(_name: str, secret: str, url: str) -> str:
    return f"""Webhooks (integrations → webhooks; moments: before call, on answer, after call; method POST, JSON or form):
  {url}/events/before?token={secret}
  {url}/events/answer?token={secret}
  {url}/events/after?token={secret}
Webhook number (forwarding scheme → step before the reserve direction; import type http):
  {url}/lookup?token={secret}      parameter: phone = caller number
Keep a reserve direction after this step: it is used when the answer is empty or late."""


def _mango(name: str, _secret: str, url: str) -> str:
    return f"""API connector: address of the external system
  {url}
MANGO appends /events/… and /result/… itself. Key and salt of the connector go to the gateway:
  PATCH /api/v1/accounts/<account>/connections/{name} with {{"keys": {{"api_key": "…", "api_salt": "…"}}}}
Leave a reserve in the IVR scheme: a route command may come at most once in 2 seconds."""


def _kamailio(_name: str, secret: str, url: str) -> str:
    return f"""kamailio.cfg (whole recipe: deploy/pbx/kamailio):
  http_client_query("{url}/lookup?format=rtjson&phone=$(fU{{s.escape.param}})&did=$rU&call_id=$ci",
                    "", "Authorization: Bearer {secret}", "$var(answer)")"""


def _freeswitch(_name: str, secret: str, url: str) -> str:
    return f"""xml_curl.conf.xml (whole recipe: deploy/pbx/freeswitch):
  <param name="gateway-url" value="{url}/lookup?format=xml&amp;token={secret}" bindings="dialplan"/>
  <param name="timeout" value="1"/>
json_cdr.conf.xml:
  <param name="url" value="{url}/events?token={secret}"/>
  <param name="encode-values" value="false"/>"""


_TEXTS: dict[str, Callable[[str, str, str], str]] = {
    "generic": _generic,
    "asterisk": _asterisk,
    "ringostat": _ringostat,
    "mango": _mango,
    "kamailio": _kamailio,
    "freeswitch": _freeswitch,
}
