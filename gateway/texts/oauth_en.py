"""The pages at which a person ends who was asked by the CRM to let us in, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "oauth.denied": "Access was not granted",
    "oauth.denied.text": "The CRM answered: {error}. Start connecting again.",
    "oauth.link-used": "The link is not valid",
    "oauth.link-used.text": "It was used already or is too old. Run 'callmatrix account add' again.",
    "oauth.busy": "The program is busy",
    "oauth.busy.text": "Its database cannot be reached just now. Load this page again in a minute; if the link is told to be used then, begin connecting again.",
    "oauth.refused": "The CRM gave no key",
    "oauth.refused.text": "{error}. Start connecting again.",
    "oauth.foreign-host": "The address is not the CRM's",
    "oauth.foreign-host.text": "You came back with the address “{host}”, which is not a host of amoCRM or Kommo. Nothing was sent there. Run 'callmatrix account add' again.",
    "oauth.another-browser": "Begun in another browser",
    "oauth.another-browser.text": "The connection was begun in another browser, or the session has ended meanwhile. Nothing was changed: open the pages of Callmatrix and begin again.",
    "oauth.another-account": "Another account of the CRM",
    "oauth.another-account.text": "Access was granted by another account of the CRM ({host}) than the one that “{account}” stands for. Sign in to the right one and run 'callmatrix account add' again.",
    "oauth.taken": "The CRM is connected already",
    "oauth.taken.text": "The CRM's account «{name}» is connected as {others} already. Work with that one, or switch it off first ('callmatrix account off') and start connecting again.",
    "oauth.done": "Done",
    "oauth.done.text": "The CRM is connected to the account “{account}”. Go on with the page of the first run, which asks for a contact phone.",
}
