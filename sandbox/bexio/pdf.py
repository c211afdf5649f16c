"""A small real PDF, as bexio's `/pdf` endpoints answer it."""

import base64

from sandbox.bexio.values import Record


def as_file(name: str, lines: list[str]) -> Record:
    """`{name, size, mime, content}`; the content is base64."""
    document = _page(lines)
    content = base64.b64encode(document).decode()
    return {"name": name, "size": len(document), "mime": "application/pdf", "content": content}


def _page(lines: list[str]) -> bytes:
    shown = " ".join(f"({_escaped(line)}) Tj 0 -20 Td" for line in lines)
    stream = f"BT /F1 14 Tf 60 780 Td {shown} ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    document, offsets = b"%PDF-1.4\n", list[int]()
    for number, each in enumerate(objects, 1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(document)
    return document + b"xref\n0 7\n0000000000 65535 f \n" + table + trailer


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
