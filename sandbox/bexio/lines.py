"""The positions of a document one by one (`/2.0/kb_invoice/{id}/kb_position_custom` and its kin)."""

from collections.abc import Callable

from sandbox.bexio import documents, invoices, positions
from sandbox.bexio.call import SUCCESS, Answer, Call, Handler, Route, Routes
from sandbox.bexio.company import INVOICE, ORDER, Document
from sandbox.bexio.errors import NotFound
from sandbox.bexio.values import Record

Find = Callable[[Call], Document]


def routes() -> Routes:
    """The endpoints of every position type, on invoices and orders."""
    found: Routes = {}
    for kind, path in ((INVOICE, "kb_invoice"), (ORDER, "kb_order")):
        show, edit = (f"{path}_show",), (f"{path}_edit",)
        for segment, line in positions.SEGMENTS.items():
            base = f"/2.0/{path}/{{id}}/{segment}"
            found["GET", base] = Route(_listing(kind, line), show)
            found["POST", base] = Route(_adding(kind, line), edit)
            found["GET", f"{base}/{{id}}"] = Route(_showing(kind, line), show)
            found["POST", f"{base}/{{id}}"] = Route(_changing(kind, line), edit)
            found["DELETE", f"{base}/{{id}}"] = Route(_deleting(kind, line), edit)
    return found


def _open_document(call: Call, kind: str) -> Document:
    """An invoice's positions change only while it is a draft."""
    return invoices.draft(call) if kind == INVOICE else call.company.orders[call.ids[0]]


def _place(document: Document, line: str, position_id: int) -> int:
    for place, position in enumerate(document.positions):
        if position["type"] == line and position["id"] == position_id:
            return place
    raise NotFound(f"Position with id {position_id} does not exist")


def _shown(call: Call, document: Document, place: int, *, is_echo: bool) -> Record:
    rows = positions.shown(call.company, document.positions, document.totals.discounts, is_echo=is_echo)
    return rows[place]


def _listing(kind: str, line: str) -> Handler:
    def answer(call: Call) -> Answer:
        document = documents.table_of(call.company, kind)[call.ids[0]]
        return documents.answer_positions(call, document, line)

    return answer


def _adding(kind: str, line: str) -> Handler:
    def answer(call: Call) -> Answer:
        document = _open_document(call, kind)
        documents.add_position(call.company, document, positions.read(call.company, line, call.form()))
        documents.recount(call.company, document)
        return Answer(_shown(call, document, -1, is_echo=True), 201)

    return answer


def _showing(kind: str, line: str) -> Handler:
    def answer(call: Call) -> Answer:
        document = documents.table_of(call.company, kind)[call.ids[0]]
        return Answer(_shown(call, document, _place(document, line, call.ids[1]), is_echo=False))

    return answer


def _changing(kind: str, line: str) -> Handler:
    def answer(call: Call) -> Answer:
        document = _open_document(call, kind)
        place = _place(document, line, call.ids[1])
        positions.change(call.company, document.positions[place], call.form())
        documents.recount(call.company, document)
        return Answer(_shown(call, document, place, is_echo=True))

    return answer


def _deleting(kind: str, line: str) -> Handler:
    def answer(call: Call) -> Answer:
        document = _open_document(call, kind)
        del document.positions[_place(document, line, call.ids[1])]
        documents.recount(call.company, document)
        return Answer(SUCCESS)

    return answer
