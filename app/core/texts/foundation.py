"""Requests, keys, sales, invoices, connections and the doctor."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.texts.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "key-missing": Entry(
        "API key missing",
        "The request carries no API key.",
        "Send the header “Authorization: Bearer <API key>”.",
    ),
    "key-invalid": Entry(
        "API key not valid",
        "The API key is unknown or was revoked.",
        "Ask your support partner for a new API key and enter it in Arcavis.",
    ),
    "role-forbidden": Entry(
        "Not allowed with this key",
        "A key with the role {role} may not do this.",
        "Use a key with the right role.",
    ),
    "invalid-input": Entry(
        "Input not valid",
        "The request was not understood; see the list of errors.",
        "Correct the fields named in the list and send the request again.",
    ),
    "invalid-json": Entry(
        "Not valid JSON",
        "The body is not valid JSON in UTF-8.",
        "Send a valid JSON document.",
    ),
    "invalid-cursor": Entry(
        "Cursor not valid",
        "The cursor does not come from this list.",
        "Start again without a cursor and take the next one from “next_cursor”.",
    ),
    "text-not-storable": Entry(
        "Text cannot be stored",
        "A text contains the character NUL or half a Unicode character.",
        "Remove the character and send the request again.",
    ),
    "body-too-large": Entry(
        "Body too large",
        "The body is larger than {limit} bytes.",
        "Send less at once.",
    ),
    "json-expected": Entry(
        "JSON expected",
        "The body is not declared as JSON.",
        "Send the header “Content-Type: application/json”.",
    ),
    "route-not-found": Entry(
        "No such address",
        "There is nothing at this address.",
        "Check the path against the API's documentation.",
    ),
    "method-not-allowed": Entry(
        "Method not allowed",
        "The address exists, but not for this method.",
        "Use one of the methods named in the header “Allow”.",
    ),
    "request-refused": Entry(
        "Request refused",
        "The request could not be handled as it was sent.",
        "Check the request against the API's documentation.",
    ),
    "too-many-requests": Entry(
        "Too many requests",
        "More than {limit} requests per minute came with this key.",
        "Wait {seconds} seconds, then go on more slowly.",
    ),
    "idempotency-key-invalid": Entry(
        "Idempotency key not valid",
        "The header “Idempotency-Key” holds 1 to 255 visible ASCII characters.",
        "Send for instance a UUID.",
    ),
    "idempotency-conflict": Entry(
        "Idempotency key used before",
        "This Idempotency-Key was already used with another body, another address or another API key.",
        "Send a new key for a new request; send the same body to repeat the first one.",
    ),
    "idempotency-in-progress": Entry(
        "First request still runs",
        "The first request with this Idempotency-Key has not been answered yet.",
        "Wait a moment and repeat the request.",
    ),
    "database-unavailable": Entry(
        "Not available now",
        "The service cannot reach its database; nothing was changed.",
        "Try again in a few seconds; if it lasts, tell your support partner.",
    ),
    "migrations-missing": Entry(
        "Not ready yet",
        "The database does not have this version's schema yet.",
        "Run the migrations, or wait until they are done.",
    ),
    "internal-error": Entry(
        "Internal error",
        "Something unforeseen happened.",
        "Try again; if it happens again, tell your support partner the request id.",
    ),
    "lease-lost": Entry(
        "Taken over",
        "Another worker took over this work.",
        "Nothing to do.",
    ),
    "work-kills-its-worker": Entry(
        "Work keeps failing hard",
        "This work was started {starts} times and never came to an end.",
        "Tell your support partner; retry after the cause is found.",
    ),
    "outcome-stays-unknown": Entry(
        "Outcome stays unknown",
        "It stayed unclear many times in a row whether bexio did what was asked.",
        "Check whether bexio works, then retry: nothing is done twice.",
    ),
    "intent-too-old": Entry(
        "Prepared too long ago",
        "A prepared write waited too long and was not sent.",
        "Nothing to do: it is prepared again.",
    ),
    "secret-unreadable": Entry(
        "A stored secret cannot be opened",
        "The key it was encrypted with is missing from CONNECTOR_ENCRYPTION_KEYS, or the record was altered.",
        "Put the former key back into the list, or connect again.",
    ),
    "tenant-not-found": Entry(
        "Tenant not found",
        "There is no such tenant.",
        "Check the name of the tenant.",
    ),
    "tenant-changing": Entry(
        "Tenant is being changed",
        "The tenant's settings changed several times while the sale was being taken in; nothing was recorded.",
        "Send the sale again.",
    ),
    "module-not-active": Entry(
        "Module not active",
        "The module {module} is not active for this tenant.",
        "Ask your support partner to activate the module.",
    ),
    "settings-incomplete": Entry(
        "Settings incomplete",
        "The setting {setting} is missing.",
        "Choose it in the settings of the bexio interface, then retry.",
    ),
    "setting-unknown-in-bexio": Entry(
        "Setting unknown in bexio",
        "{setting} {value} does not exist in bexio (any more).",
        "Choose another value in the settings, then retry.",
    ),
    "currency-not-supported": Entry(
        "Currency not supported",
        "The sale is in another currency than CHF.",
        "Choose another payment type; bexio invoices are made in CHF.",
    ),
    "sale-date-out-of-range": Entry(
        "Date out of range",
        "The date of the sale lies too far in the past or the future.",
        "Check the date and time of the till and send the sale again.",
    ),
    "amount-not-positive": Entry(
        "Amount not above zero",
        "bexio's interface has no credit notes, so a return cannot become an invoice.",
        "Choose another payment type at the till, or write the credit note in bexio by hand.",
    ),
    "customer-missing": Entry(
        "Customer missing",
        "An invoice needs a customer.",
        "Assign a customer to the sale, or choose another payment type.",
    ),
    "customer-name-missing": Entry(
        "Customer without a name",
        "bexio needs the company name, or a person's name.",
        "Complete the customer's name in Arcavis, or choose another payment type.",
    ),
    "position-duplicate": Entry(
        "Position twice",
        "Two lines of the sale have the same position.",
        "Send every line with a position of its own.",
    ),
    "line-incomplete": Entry(
        "Line incomplete",
        "A line lacks quantity, price, amount or VAT rate.",
        "Send all four, or none of them for a text line.",
    ),
    "tax-rate-unknown": Entry(
        "VAT rate unknown",
        "A line has a VAT rate that Switzerland does not have on the day of the sale.",
        "Correct the VAT rate of the article in Arcavis, or choose another payment type.",
    ),
    "quantity-out-of-range": Entry(
        "Quantity out of range",
        "A line has a quantity of zero or an absurdly large one.",
        "Correct the quantity of the line.",
    ),
    "line-sign-differs": Entry(
        "Sign of a line differs",
        "A line's amount has another sign than its quantity times price.",
        "Send the amount of the line as the till took it.",
    ),
    "lines-differ-from-total": Entry(
        "Lines differ from total",
        "The lines do not add up to the total of the sale.",
        "Send the amounts exactly as the till rounded them.",
    ),
    "payments-differ-from-total": Entry(
        "Payments differ from total",
        "The payments do not add up to the total of the sale.",
        "Send all payments of the sale, net of change given.",
    ),
    "payment-not-positive": Entry(
        "Payment not above zero",
        "A payment is zero or negative.",
        "Send payments net of change given.",
    ),
    "not-paid-on-invoice": Entry(
        "Not paid on bexio invoice",
        "No part of the sale is paid with the payment type for bexio invoices.",
        "Send only sales with that payment type, or correct the payment type in the settings.",
    ),
    "sale-already-recorded": Entry(
        "Sale already recorded",
        "Transaction {transaction_id} was recorded with other content.",
        "Compare the receipt with document {document}; a changed sale must be cancelled and sold anew.",
    ),
    "document-not-found": Entry(
        "Sale not found",
        "There is no such sale or order for this tenant.",
        "Check the id.",
    ),
    "payment-not-found": Entry(
        "Payment not found",
        "There is no such payment for an open invoice of this tenant.",
        "Take the address from the header `Location` of the answer to the payment.",
    ),
    "account-missing": Entry(
        "Account missing",
        "Account {account} does not exist in bexio or is inactive.",
        "Create or activate account {account} in bexio (Settings > All settings > Accounting > Chart of "
        "accounts), or choose another account in the settings, then retry.",
    ),
    "tax-code-missing": Entry(
        "VAT code missing",
        "bexio has no active sales tax of {rate} % on {day}.",
        "Activate the VAT code in bexio (Settings > All settings > Accounting > VAT), then retry.",
    ),
    "tax-code-ambiguous": Entry(
        "Several VAT codes",
        "bexio has several active sales taxes of {rate} % on {day}: {candidates}.",
        "Deactivate all but one of these VAT codes in bexio (Settings > All settings > Accounting > VAT), then retry.",
    ),
    "currency-missing": Entry(
        "Currency missing",
        "bexio does not have the currency {currency}.",
        "Add the currency in bexio (Settings > All settings > Accounting > Currencies), then retry.",
    ),
    "bank-account-missing": Entry(
        "Bank account missing",
        "The bank account {bank_account} does not exist in bexio (any more).",
        "Choose another bank account for this payment type in the settings, then retry.",
    ),
    "contact-ambiguous": Entry(
        "Customer not clear",
        "Several bexio contacts, or one with weak evidence, could be customer {customer}: {candidates}.",
        "Retry and name the right contact (contact_bexio_id), or clean up the contacts in bexio and retry.",
    ),
    "contact-gone": Entry(
        "Contact archived",
        "The bexio contact {contact} of customer {customer} is archived or deleted.",
        "Restore the contact in bexio, then retry.",
    ),
    "contact-rejected": Entry(
        "Contact refused by bexio",
        "bexio refuses to create the contact of customer {customer}: {reasons}",
        "Correct the customer in Arcavis, or create and link the contact in bexio, then retry.",
    ),
    "total-differs": Entry(
        "Totals differ",
        "bexio's total is {bexio}, the till's is {till}; the invoice {invoice} stays a draft.",
        "Compare the draft in bexio with the receipt, correct it there or delete it, then retry.",
    ),
    "invoice-has-payments": Entry(
        "Invoice has payments",
        "The sale was cancelled, but invoice {invoice} is paid or partly paid.",
        "Remove the payments in bexio or write a credit note there, then retry or dismiss.",
    ),
    "invoice-written-off": Entry(
        "Invoice written off",
        "Invoice {invoice} was written off in bexio.",
        "Nothing can be cancelled any more; write the correction in bexio, then dismiss.",
    ),
    "payment-type-not-mapped": Entry(
        "Payment type not mapped",
        "Payment type {payment_type} has no bexio bank account.",
        "Choose the bank account for this payment type in the settings, then retry.",
    ),
    "payment-exceeds-open-amount": Entry(
        "Payment above open amount",
        "{amount} is more than the open {open} of invoice {invoice}.",
        "Check which invoice the customer paid; record the payment in bexio by hand if it is right, then dismiss.",
    ),
    "payment-recorded-by-hand": Entry(
        "Payment perhaps recorded already",
        "The invoice already has a payment of {amount} on {day} that did not come from us.",
        "If it is this payment, dismiss; otherwise correct it in bexio and retry.",
    ),
    "invoice-not-payable": Entry(
        "Invoice cannot be paid",
        "Invoice {invoice} is {status} in bexio.",
        "Check the invoice in bexio.",
    ),
    "payment-conflict": Entry(
        "Payment already recorded",
        "Transaction {transaction_id} was recorded with another amount or date.",
        "Compare the receipt with the payments of the invoice.",
    ),
    "mail-outcome-unknown": Entry(
        "Mail perhaps sent",
        "bexio did not say whether it mailed invoice {invoice}.",
        "Look at the invoice in bexio and send it there if it was not sent; then dismiss.",
    ),
    "mail-rejected": Entry(
        "Mail not sent",
        "bexio did not mail invoice {invoice}: {reasons}",
        "Correct the customer's e-mail address and send the invoice in bexio; then dismiss.",
    ),
    "invoice-vanished": Entry(
        "Invoice vanished",
        "Invoice {invoice} no longer exists in bexio.",
        "Retry to write it anew, or dismiss if it was removed on purpose.",
    ),
    "invoice-not-issued": Entry(
        "Not issued yet",
        "The sale is not an issued invoice yet.",
        "Wait until it is issued; see its status.",
    ),
    "contact-not-asked-for": Entry(
        "Contact not asked for",
        "Nothing about the customer of this sale waits for a decision; nothing was changed.",
        "Retry without contact_bexio_id; an existing link is changed in the contacts.",
    ),
    "invoice-doubled": Entry(
        "Two invoices found",
        "bexio holds more than one issued invoice for this sale: {invoices}.",
        "Cancel the surplus invoice in bexio, then retry.",
    ),
    "bexio-unreachable": Entry(
        "bexio cannot be reached",
        "bexio did not answer ({cause}). Nothing was changed there.",
        "Nothing to do: it is tried again by itself. If it lasts, look at status.bexio.com.",
    ),
    "bexio-busy": Entry(
        "bexio asks to wait",
        "bexio limits the number of requests and asks to wait. Nothing was changed there.",
        "Nothing to do: it is tried again by itself.",
    ),
    "bexio-circuit-open": Entry(
        "bexio is away",
        "bexio failed several times in a row, so it is left alone for some seconds. Nothing was sent.",
        "Nothing to do: it goes on by itself once bexio is back.",
    ),
    "bexio-rejected": Entry(
        "bexio refused the record",
        "bexio answered with status {status}: {reasons}",
        "Correct in bexio or in the settings what it names, then retry.",
    ),
    "bexio-not-found": Entry(
        "bexio does not have the record",
        "bexio has no such record ({status}). {reasons}",
        "Check in bexio whether it was deleted, then retry or dismiss.",
    ),
    "bexio-outcome-unknown": Entry(
        "It is unclear whether bexio did it",
        "The connection to bexio broke off during a write ({cause}).",
        "Nothing to do: bexio is asked first whether the record exists before anything is written again.",
    ),
    "bexio-answer-unreadable": Entry(
        "The answer of bexio could not be read",
        "bexio answered with something that is not what was agreed.",
        "Retry later. If it lasts, tell your support partner: bexio may have changed its interface.",
    ),
    "bexio-not-connected": Entry(
        "bexio is not connected",
        "This tenant has no connection to bexio.",
        "Connect bexio in the settings.",
    ),
    "arcavis-unreachable": Entry(
        "Arcavis cannot be reached",
        "Arcavis did not answer ({cause}). Nothing was changed there.",
        "Nothing to do: it is tried again by itself. If it lasts, check the address of your Arcavis.",
    ),
    "arcavis-busy": Entry(
        "Arcavis asks to wait",
        "Arcavis limits the number of requests and asks to wait. Nothing was changed there.",
        "Nothing to do: it is tried again by itself.",
    ),
    "arcavis-circuit-open": Entry(
        "Arcavis is away",
        "Arcavis failed several times in a row, so it is left alone for some seconds. Nothing was sent.",
        "Nothing to do: it goes on by itself once Arcavis is back.",
    ),
    "arcavis-rejected": Entry(
        "Arcavis refused the record",
        "Arcavis answered with status {status}: {reasons}",
        "Correct in Arcavis or in the settings what it names, then retry.",
    ),
    "arcavis-not-found": Entry(
        "Arcavis does not have the record",
        "Arcavis has no such record ({status}). {reasons}",
        "Check in Arcavis whether it was deleted, then retry or dismiss.",
    ),
    "arcavis-outcome-unknown": Entry(
        "It is unclear whether Arcavis did it",
        "The connection to Arcavis broke off during a write ({cause}).",
        "Nothing to do: Arcavis is asked first whether the record exists before anything is written again.",
    ),
    "arcavis-answer-unreadable": Entry(
        "The answer of Arcavis could not be read",
        "Arcavis answered with something that is not what was agreed.",
        "Retry later. If it lasts, tell your support partner: Arcavis may have changed its interface.",
    ),
    "arcavis-not-connected": Entry(
        "Arcavis is not connected",
        "This tenant has no connection to Arcavis.",
        "Connect Arcavis in the settings.",
    ),
    "bexio-budget-spent": Entry(
        "This minute's bexio requests are spent",
        "The company's requests to bexio for this minute are spent or kept for more urgent work. Nothing was sent.",
        "Nothing to do: it goes on within a minute.",
    ),
    "bexio-unauthorized": Entry(
        "bexio refused the credentials",
        "The access token is wrong, has expired or was revoked (status {status}).",
        "Connect bexio again in Arcavis: sign in at bexio, or use a new token (in bexio: Settings > All settings > "
        "Apps & API > API keys).",
    ),
    "bexio-forbidden": Entry(
        "A right is missing in bexio",
        "bexio refused this action to the connected user (status {status}): {reasons}",
        "Give the connected user the right in bexio (Settings > All settings > General > User management), or "
        "connect with a user that has all rights.",
    ),
    "bexio-reconnect-required": Entry(
        "bexio must be connected again",
        "The connection to bexio no longer works.",
        "Connect bexio again in Arcavis: sign in at bexio, or use a new token (in bexio: Settings > All settings > "
        "Apps & API > API keys).",
    ),
    "bexio-token-malformed": Entry(
        "This is not a token",
        "The text given as access token cannot be one.",
        "Copy the whole token from developer.bexio.com/pat, without spaces.",
    ),
    "arcavis-unauthorized": Entry(
        "Arcavis refused the credentials",
        "User name or password are wrong, or the user lacks the role Web-API (status {status}).",
        "Connect Arcavis again with a user of the role Web-API.",
    ),
    "arcavis-forbidden": Entry(
        "A right or module is missing in Arcavis",
        "Arcavis refused this action (status {status}): {reasons}",
        "Have the module Web-API licensed, or give the user the right.",
    ),
    "arcavis-reconnect-required": Entry(
        "Arcavis must be connected again",
        "The connection to Arcavis no longer works.",
        "Connect Arcavis again.",
    ),
    "arcavis-refused": Entry(
        "Refused by Arcavis",
        "Arcavis refused the request: {reasons}",
        "Check the message in Arcavis, then retry.",
    ),
    "arcavis-url-not-allowed": Entry(
        "This address is not allowed",
        "The address of Arcavis must be a public https address without user name, port or query ({reason}).",
        "Give the address as in https://myshop.arcavis.ch.",
    ),
    "draft-not-deleted": Entry(
        "Draft not deleted",
        "bexio did not delete the draft: {reasons}",
        "Nothing to do: it is looked at again; if it repeats, check the user's rights on invoices in bexio.",
    ),
    "contact-being-resolved": Entry(
        "Customer being looked up",
        "Another sale of the same customer is just being matched with bexio.",
        "Nothing to do: it goes on by itself.",
    ),
    "contact-create-may-land": Entry(
        "Waiting for bexio",
        "A request to create the contact was not answered; it may still arrive.",
        "Nothing to do: it goes on by itself.",
    ),
    "create-may-land": Entry(
        "Waiting for bexio",
        "A request to create the invoice was not answered; it may still arrive.",
        "Nothing to do: it goes on by itself.",
    ),
    "position-may-land": Entry(
        "Waiting for bexio",
        "A request to add a line was not answered; it may still arrive.",
        "Nothing to do: it goes on by itself.",
    ),
    "payment-may-land": Entry(
        "Waiting for bexio",
        "A request to record a payment was not answered; it may still arrive.",
        "Nothing to do: it goes on by itself.",
    ),
    "other-payment-in-flight": Entry(
        "Waiting for another payment",
        "Another payment of the same invoice is just being recorded.",
        "Nothing to do: it goes on by itself.",
    ),
    "draft-incomplete": Entry(
        "Draft incomplete",
        "bexio saved the draft only in part; it is written anew.",
        "Nothing to do: it goes on by itself.",
    ),
    "asked-again": Entry(
        "Looking again",
        "The sale was changed while it was worked on.",
        "Nothing to do: it goes on by itself.",
    ),
    "tidying": Entry(
        "Tidying up",
        "Drafts that a lost request may have left behind are looked for.",
        "Nothing to do: it goes on by itself.",
    ),
    "next-poll": Entry(
        "Waiting for the next look",
        "Changed invoices are read every few minutes.",
        "Nothing to do: it goes on by itself.",
    ),
    "slug-taken": Entry(
        "Name taken",
        "There is a tenant called {slug} already.",
        "Choose another slug.",
    ),
    "api-key-not-found": Entry(
        "API key not found",
        "There is no such API key, or it was revoked before.",
        "Check the id in the list of keys.",
    ),
    "bexio-company-unknown": Entry(
        "Company not recognised",
        "It cannot be told which bexio company the token belongs to.",
        "Create a token as a user with all rights, also on accounting, and connect again.",
    ),
    "bexio-company-taken": Entry(
        "Company connected elsewhere",
        "The bexio company {company} is connected to another Arcavis.",
        "Connect your own company, or have the other connection removed by your support partner.",
    ),
    "bexio-company-differs": Entry(
        "Another company",
        "This tenant belongs to the bexio company {company}; you tried to connect {other}.",
        "Connect {company}. Another company can be connected only after disconnecting, and only while "
        "nothing was sold on a bexio invoice.",
    ),
    "arcavis-environment-differs": Entry(
        "Another Arcavis",
        "Contacts or articles are linked with the Arcavis at {environment}; you tried to connect {other}, where the "
        "same numbers may be other people and articles.",
        "Connect {environment}. Another Arcavis needs a tenant of its own: ask your support partner. If it only moved, "
        "have it answer at the old address too.",
    ),
    "setting-unknown-in-arcavis": Entry(
        "Setting unknown in Arcavis",
        "{setting} {value} does not exist in Arcavis (any more), or is not active.",
        "Choose another value in the settings.",
    ),
    "if-match-missing": Entry(
        "Version missing",
        "A change must say which version of the settings it is made to.",
        "Read the settings and send their ETag in the header “If-Match”.",
    ),
    "settings-changed": Entry(
        "Settings changed meanwhile",
        "Somebody else changed the settings since they were read; nothing was saved.",
        "Read the settings again, look at what changed, and repeat your change.",
    ),
    "attention-not-found": Entry(
        "Item not found",
        "There is no such attention item for this tenant.",
        "Check the id.",
    ),
    "attention-closed": Entry(
        "Item closed already",
        "The item was resolved or dismissed before.",
        "Nothing to do.",
    ),
    "nothing-to-retry": Entry(
        "Nothing to retry",
        "There is no work behind this item.",
        "Follow its remedy, then dismiss it.",
    ),
    "run-not-found": Entry(
        "Run not found",
        "There is no such run for this tenant.",
        "Check the id.",
    ),
    "run-finished": Entry(
        "Run finished already",
        "The run is {state} and cannot be cancelled any more.",
        "Nothing to do.",
    ),
    "run-not-failed": Entry(
        "Run did not fail",
        "The run is {state}: only one that failed or was cancelled can be retried.",
        "Wait until it ends, or start a new one.",
    ),
    "bexio-works": Entry(
        "bexio is connected",
        "The company {company} answers.",
        "Nothing to do.",
    ),
    "arcavis-works": Entry(
        "Arcavis is connected",
        "Arcavis answers.",
        "Nothing to do.",
    ),
    "bexio-token-expires": Entry(
        "Token ends soon",
        "The access token of bexio ends on {day}, in {days} days.",
        "Create a new token at developer.bexio.com/pat and connect bexio with it before that day.",
    ),
    "bexio-token-expired": Entry(
        "Token ended",
        "The access token of bexio ended on {day}.",
        "Create a new token at developer.bexio.com/pat and connect bexio with it; what waits goes on then.",
    ),
    "bexio-right-missing": Entry(
        "A right is missing in bexio",
        "The connected user may not work with {right} in bexio.",
        "Give the connected user the right in bexio (Settings > All settings > General > User management), "
        "or connect with a user that has all rights.",
    ),
    "bexio-right-limited": Entry(
        "A right is limited in bexio",
        "The connected user sees only its own records of {right}; those of others are hidden without a word.",
        "Set the right to “all” in bexio, or connect with a user that has all rights.",
    ),
    "currency-not-francs": Entry(
        "Default currency is not CHF",
        "bexio's default currency of invoices is {currency}; invoices of the till are made in CHF all the same.",
        "Check whether this is the right company.",
    ),
    "rounding-step-unusual": Entry(
        "Unusual rounding",
        "bexio rounds totals in CHF to {step}; tills know 0.05 and 0.01.",
        "Set the rounding of CHF to 0.05 in bexio (Settings > All settings > Accounting > Currencies).",
    ),
    "account-not-income": Entry(
        "Not a revenue account",
        "Account {account} is not one for revenue.",
        "Choose a revenue account for invoices in the settings, usually 3200.",
    ),
    "payment-type-inactive": Entry(
        "Payment type not active",
        "The payment type {payment_type} is not active in Arcavis, so no till offers it.",
        "Activate it in Arcavis (System > payment types), or choose another one in the settings.",
    ),
    "payment-type-without-customer": Entry(
        "Till does not ask for the customer",
        "The payment type {payment_type} can be used without a customer, but an invoice needs one: such "
        "sales are refused.",
        "Tick “customer required” for this payment type in Arcavis (System > payment types).",
    ),
    "numbering-not-automatic": Entry(
        "Numbers are given by hand",
        "bexio does not number invoices by itself.",
        "Switch automatic numbering of invoices on in bexio (Settings > All settings > Sales > Documents).",
    ),
    "business-year-missing": Entry(
        "Business year missing",
        "bexio has no business year that holds {day}.",
        "Open the business year in bexio (Accounting > Business years).",
    ),
    "business-year-not-open": Entry(
        "Business year not open",
        "The business year of {day} is {status} in bexio: nothing can be booked.",
        "Unlock or reopen it in bexio (Accounting > Business years).",
    ),
    "vat-period-not-open": Entry(
        "VAT period closed",
        "The VAT period of {day} is closed in bexio: nothing with VAT can be booked.",
        "Reopen the VAT period in bexio (Accounting > VAT).",
    ),
    "kind-unknown": Entry(
        "Waiting for a newer worker",
        "This work needs a version of the service that is just being rolled out.",
        "Nothing to do: it goes on by itself once the newer version runs.",
    ),
}
