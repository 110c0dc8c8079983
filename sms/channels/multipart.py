"""A form with one file in it, as browsers send it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sms.channels.sending import OutgoingFile


def form_with_file(
    fields: Mapping[str, bytes], upload: str, file: OutgoingFile, boundary: str
) -> tuple[bytes, str]:
    """Return the body, and its type. upload: the file's name in the form. boundary: letters that stand nowhere in the file, or it
    is lengthened."""
    content = file.content or b""
    while boundary.encode() in content:
        boundary += "x"
    parts = [(f'name="{name}"', value) for name, value in fields.items()]
    name = f'name="{upload}"; filename="{_escaped(file.name)}"'
    parts.append((f"{name}\r\nContent-Type: {_escaped(file.media_type)}", content))
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
        for head, value in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _escaped(text: str) -> str:
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
