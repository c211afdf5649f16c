"""Booking rules, exports and reconciliation."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.texts.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "rule-not-found": Entry(
        "No such booking rule",
        "There is no booking rule with this id.",
        "Take the id from the list of booking rules.",
    ),
    "rules-too-many": Entry(
        "Too many booking rules",
        "A tenant can have {most} booking rules.",
        "Delete rules that are no longer needed, or group by store, article group or payment type "
        "instead of making a rule for each.",
    ),
    "rule-changed-meanwhile": Entry(
        "Booking rule changed meanwhile",
        "Somebody else changed the booking rule since you read it.",
        "Read the booking rule again and repeat your change.",
    ),
    "rule-has-entries": Entry(
        "Booking rule has entries in bexio",
        "Entries of the rule {rule} stand in bexio. Without the rule the next export of their days "
        "would take them back.",
        "Set “valid_to” to end the rule from a day on. To delete it, reverse the exports of its days first.",
    ),
    "export-not-found": Entry(
        "No such export",
        "There is no export with this id.",
        "Take the id from the list of exports.",
    ),
    "period-not-valid": Entry(
        "Period not valid",
        "The period ends before it begins, or is longer than {most} days.",
        "Choose a period of at most {most} days; a longer one is exported in parts.",
    ),
    "booking-rules-missing": Entry(
        "No booking rules",
        "There is no booking rule that is active: nothing can be exported.",
        "Let the default rules be made (“Default rules”), or create booking rules with your accountant.",
    ),
    "rule-without-account": Entry(
        "Booking rule without account",
        "The booking rule “{rule}” lacks a debit or credit account.",
        "Enter both accounts in the booking rule.",
    ),
    "cash-account-missing": Entry(
        "Cash account missing",
        "Account {account} (cash) does not exist in bexio; it is needed by {rule}. A new bexio "
        "company does not have it.",
        "Create it in bexio: Banking > “Bankkonto hinzufügen” (add bank account), as a cash account "
        "(“Kassenkonto”) with number {account}. Or choose another account in the booking rule.",
    ),
    "booking-account-missing": Entry(
        "Account missing",
        "Account {account} of the booking rule “{rule}” does not exist in bexio.",
        "Create account {account} in bexio (Settings > All settings > Accounting > Chart of "
        "accounts), or choose another account in the booking rule.",
    ),
    "booking-account-inactive": Entry(
        "Account inactive",
        "Account {account} of the booking rule “{rule}” is inactive in bexio.",
        "Activate account {account} in bexio (Settings > All settings > Accounting > Chart of "
        "accounts), or choose another account in the booking rule.",
    ),
    "booking-account-unsuitable": Entry(
        "Account of the wrong kind",
        "Account {account} is of a kind that does not suit the booking rule “{rule}”: revenue is "
        "credited to an income account, and debited to cash or a clearing account.",
        "Choose an account of the right kind in the booking rule.",
    ),
    "discount-account-unsuitable": Entry(
        "Account does not suit discounts",
        "The booking rule “{rule}” books discounts on account {account}. Prices at the till are after discount "
        "already: no money moves with it, so both of its accounts are income or expense accounts.",
        "Choose, for example, 3800 as the debit account and 3200 as the credit account.",
    ),
    "vouchers-among-prepayments": Entry(
        "Vouchers among prepayments",
        "The booking rule “{rule}” books vouchers on account {account}, where bexio itself books the "
        "credits of customers.",
        "Create a liability account of its own for vouchers in bexio (for example 2035) and choose it"
        " in the booking rule.",
    ),
    "company-without-vat": Entry(
        "Company not liable to VAT",
        "The company is not liable to VAT, but the booking rule “{rule}” names the VAT code {tax_code}.",
        "Remove the VAT code from the booking rule.",
    ),
    "vat-code-unknown": Entry(
        "VAT code unknown",
        "The VAT code {tax_code} of the booking rule “{rule}” does not exist in bexio.",
        "Choose another VAT code in the booking rule; “@sales” always takes the one of the line's own rate.",
    ),
    "vat-code-inactive": Entry(
        "VAT code inactive",
        "The VAT code {tax_code} of the booking rule “{rule}” is inactive in bexio.",
        "Activate {tax_code} in bexio (Settings > All settings > Accounting > VAT), or choose another"
        " VAT code in the booking rule.",
    ),
    "vat-code-expired": Entry(
        "VAT code not valid on the day",
        "The VAT code {tax_code} of the booking rule “{rule}” is not valid on {day}.",
        "Choose “@sales” in the booking rule, which takes the code of the day, or the code that is valid on {day}.",
    ),
    "vat-code-of-other-rate": Entry(
        "VAT code of another rate",
        "The booking rule “{rule}” names the VAT code {tax_code} ({code_rate} %), but lines with "
        "{rate} % go through it.",
        "Choose “@sales” in the booking rule, or narrow its filter to lines with {code_rate} %.",
    ),
    "vat-code-sleeps": Entry(
        "VAT code not activated",
        "The booking rule “{rule}” needs a VAT code for {rate} on {day}. bexio has it, but it is "
        "inactive: {candidates}. In a new bexio company 3.8 % and 0 % are.",
        "Activate {candidates} in bexio (Settings > All settings > Accounting > VAT).",
    ),
    "vat-code-missing": Entry(
        "No VAT code for the rate",
        "The booking rule “{rule}” needs a VAT code for {rate} on {day}; bexio has none.",
        "Create or activate it in bexio (Settings > All settings > Accounting > VAT), or correct the rate in Arcavis.",
    ),
    "vat-code-ambiguous": Entry(
        "Several VAT codes fit",
        "For the booking rule “{rule}” bexio has several VAT codes for {rate} on {day}: {candidates}.",
        "Name one of them in the booking rule, or deactivate the others in bexio.",
    ),
    "vat-code-of-other-method": Entry(
        "VAT code of the other method",
        "The VAT code {tax_code} of the booking rule “{rule}” does not belong to the company's VAT "
        "method (effective or net tax rates).",
        "Choose a VAT code of the company's own method in the booking rule, or ask your accountant which one applies.",
    ),
    "vat-code-unfit-for-account": Entry(
        "VAT code does not fit the accounts",
        "The VAT code {tax_code} of the booking rule “{rule}” fits neither account: sales tax goes "
        "with an income account, input tax with an expense account.",
        "Choose another VAT code or other accounts in the booking rule.",
    ),
    "vat-code-on-value-without-vat": Entry(
        "VAT code on a value without VAT",
        "The booking rule “{rule}” books the value “{value}” with the VAT code {tax_code}. bexio would split VAT off "
        "where none is contained, owed or deductible.",
        "Remove the VAT code from the booking rule, or book the value “gross”.",
    ),
    "vat-rates-mixed": Entry(
        "Several VAT rates in one entry",
        "The booking rule “{rule}” puts lines of several VAT rates into one entry with the VAT code {tax_code}.",
        "Choose “@sales” in the booking rule, or group it by VAT rate (“tax_rate”).",
    ),
    "vat-code-ends": Entry(
        "VAT code ends soon",
        "The VAT code {tax_code} of the booking rule “{rule}” is valid until {day}, and nothing follows it by itself.",
        "Choose “@sales” in the booking rule, or create its successor in bexio before {day}.",
    ),
    "coverage-gap": Entry(
        "No booking rule fits",
        "No booking rule fits these: {what}. They come to {amount}. Receipts: {receipts}.",
        "Create a booking rule for them, or one with the action “ignore” that leaves them out on purpose.",
    ),
    "coverage-overlap": Entry(
        "Several booking rules meet",
        "Several booking rules ({rules}) fit the same: {what}. It would be booked twice: {amount}. "
        "Receipts: {receipts}.",
        "Narrow the filters of these booking rules until only one fits.",
    ),
    "foreign-currency": Entry(
        "Payment in foreign currency",
        "No booking rule names the currency of these: {what}. They come to {amount} francs. Receipts: {receipts}.",
        "Create a booking rule that names the currency in its filter and books the amount in francs, "
        "or one with the action “ignore”.",
    ),
    "day-does-not-balance": Entry(
        "Day does not balance",
        "What was paid and what was sold differ by {difference}, more than the limit of {limit} for "
        "roundings. Receipts: {receipts}.",
        "Look at these receipts in Arcavis and cancel or correct them there. If they are right, raise"
        " the limit in the settings.",
    ),
    "rounding-account-not-chosen": Entry(
        "Rounding account not chosen",
        "The day has a rounding difference, and no account is chosen for it.",
        "Choose “rounding_account_no” in the settings; bexio usually has 6945 for it.",
    ),
    "rounding-account-missing": Entry(
        "Rounding account missing",
        "Account {account} for rounding differences does not exist in bexio or is inactive.",
        "Create or activate account {account} in bexio, or choose another one as "
        "“rounding_account_no” in the settings.",
    ),
    "sale-never-sent": Entry(
        "Sale on invoice never sent",
        "These receipts were paid on bexio invoice, but the till never sent them: {receipts}. They "
        "have no invoice, and the export leaves them out.",
        "Invoice them: the finding offers each sale as it would be sent to POST /invoices. Then check"
        " the till's connection.",
    ),
    "receipt-unreadable": Entry(
        "Receipt cannot be read",
        "Arcavis gives these receipts out with a value that is missing or is no number: {receipts}. "
        "Their day is held, so that nothing is missing in the books.",
        "Look at the receipts in Arcavis (quantities, prices, discounts and VAT rates of their lines). Mend or "
        "cancel them there, or give their ids to Arcavis' support. Then export the day again.",
    ),
    "open-invoice-paid": Entry(
        "Open invoice paid at the till",
        "These receipts paid open bexio invoices: {receipts}. Their money is recorded with the "
        "invoices, so the export leaves it out.",
        "Nothing to do: it is recorded once.",
    ),
    "sale-without-invoice": Entry(
        "Sale without invoice",
        "The invoices of these sales were cancelled, but the sales stand in Arcavis: {receipts}. Their revenue is in "
        "no invoice, and the export leaves them out.",
        "Cancel the sales in Arcavis too. If they are right, make their invoices in bexio by hand.",
    ),
    "return-on-invoice": Entry(
        "Return on invoice",
        "These receipts give money back on bexio invoice: {receipts}. bexio has no interface for "
        "credit notes, so none was made, and the export leaves them out.",
        "Make the credit note in bexio by hand, or cancel the invoice there if it is unpaid.",
    ),
    "cancelled-sale-still-invoiced": Entry(
        "Cancelled sale still invoiced",
        "These sales were cancelled in Arcavis, but their invoices stand in bexio: {receipts}.",
        "Cancel each invoice (POST /invoices/…/cancel, or in bexio); if it is paid, pay the customer "
        "back and cancel it in bexio.",
    ),
    "default-rule-revenue": Entry(
        "Revenue {rate}",
        "What is sold goes from {cash} to {account}, with bexio's VAT code for the rate of each line "
        "on its day. Account {account} is the revenue account of the settings or of the chart.",
        "Choose other accounts where your accountant prefers them. A change of VAT rates needs no work here.",
    ),
    "default-rule-revenue-untaxed": Entry(
        "Revenue",
        "What is sold goes from {cash} to {account}, without VAT, since bexio says that the company "
        "is not liable to it.",
        "Make the default rules anew once the company becomes liable to VAT.",
    ),
    "default-rule-cash": Entry(
        "{payment_type} stays in the till",
        "Cash of sales is left out on purpose: revenue was booked to {account} already, and the cash lies there.",
        "Nothing to do.",
    ),
    "default-rule-payment-mapped": Entry(
        "{payment_type}",
        "What is paid with {payment_type} goes from {cash} to {account}: the settings map this "
        "payment type to the bexio bank account behind it.",
        "Choose another account if the money arrives elsewhere.",
    ),
    "default-rule-payment-named": Entry(
        "{payment_type}",
        "What is paid with {payment_type} goes from {cash} to {account}: it is the one asset account "
        "whose name says so.",
        "Choose another account if the money arrives elsewhere.",
    ),
    "default-rule-voucher-sold": Entry(
        "Vouchers sold",
        "A voucher sold is owed to the customer, not revenue, and has no VAT yet: it goes from {cash}"
        " to {account}, the one liability account with vouchers in its name.",
        "Choose another liability account if you keep vouchers elsewhere; not 2030.",
    ),
    "default-rule-voucher-redeemed": Entry(
        "{payment_type} redeemed",
        "A redeemed voucher is a payment: it takes from {account} what was owed, against {cash}.",
        "Choose another liability account if you keep vouchers elsewhere; not 2030.",
    ),
    "default-rule-tip": Entry(
        "Tips",
        "Tips belong to the staff: they go from {cash} to {account}, the one liability account with tips in its name.",
        "Choose another account if you handle tips otherwise.",
    ),
    "default-rule-expense": Entry(
        "Expense {purpose}",
        "Cash expenses for {purpose} go from {cash} to {account}, the one expense account with that "
        "name. Without input tax: the receipt does not say whether there is any.",
        "Enter a VAT code such as @operating-standard if input tax may be claimed.",
    ),
    "default-rule-skimming": Entry(
        "{transaction_type}",
        "Cash taken out of the till goes from {cash} to {account}, the one asset account that is named after a safe.",
        "Choose the account where the cash really goes.",
    ),
    "default-rule-load": Entry(
        "{transaction_type}: {payment_type}",
        "What a customer pays in with {payment_type} is owed to the customer: from {paid} to "
        "{account}, the one account with customer accounts in its name.",
        "Choose another liability account if you keep customers' money elsewhere.",
    ),
    "default-rule-account-payment": Entry(
        "{payment_type}",
        "A sale on {payment_type} draws on the customer's account: from {cash} to {account}, the one "
        "account with customer accounts in its name.",
        "Choose another account if you keep customers' money elsewhere.",
    ),
    "default-revenue-unclear": Entry(
        "No default rule for revenue",
        "It is not clear which income account of the chart holds the till's revenue.",
        "Choose “invoice_account_no” in the settings and make the default rules again, or create the "
        "booking rule yourself.",
    ),
    "default-payment-unclear": Entry(
        "No default rule for {payment_type}",
        "It is not clear which account the money of {payment_type} goes to.",
        "Map {payment_type} to a bexio bank account in the settings (“payment_bank_accounts”) and "
        "make the default rules again, or create the booking rule yourself.",
    ),
    "default-vouchers-unclear": Entry(
        "No default rule for vouchers",
        "The chart has no liability account, or more than one, that is named after vouchers. 2030 is "
        "not for them: bexio books customers' credits there.",
        "Create one in bexio (for example 2035 Gutscheine, liability) and make the default rules again.",
    ),
    "default-tips-unclear": Entry(
        "No default rule for tips",
        "The chart has no liability account, or more than one, that is named after tips.",
        "If tips are taken at the till, create one in bexio and make the default rules again.",
    ),
    "default-expense-unclear": Entry(
        "No default rule for expense {purpose}",
        "It is not clear which expense account cash expenses for {purpose} belong to.",
        "Create a booking rule: payments, transaction type and purpose in the filter, with the expense account.",
    ),
    "default-skimming-unclear": Entry(
        "No default rule for {transaction_type}",
        "It is not clear where cash goes that is taken out of the till.",
        "Create a booking rule: payments, transaction type {transaction_type} in the filter, with the"
        " account of the safe or the bank.",
    ),
    "default-customer-account-unclear": Entry(
        "No default rule for customer accounts",
        "It is not clear on which account the money of customer accounts ({what}) is kept.",
        "Create a liability account for customer accounts in bexio and make the default rules again, "
        "or create the booking rule yourself.",
    ),
    "rounding-difference": Entry(
        "Rounding difference",
        "What was paid and what was sold differ by a few Rappen; the difference is booked to {account}.",
        "Nothing to do.",
    ),
    "other-export-running": Entry(
        "Waiting for another export",
        "Another export of this tenant is running; exports take turns.",
        "Nothing to do: it goes on by itself.",
    ),
    "booking-may-land": Entry(
        "Waiting for bexio",
        "A request to post an entry was not answered; it may still arrive.",
        "Nothing to do: it goes on by itself.",
    ),
    "next-part": Entry(
        "The next days follow",
        "A long export gives way to other work now and then.",
        "Nothing to do: it goes on by itself.",
    ),
    "plan-changed": Entry(
        "The plan has changed",
        "What the preview showed is not what would be posted now. Changed since: {what}.",
        "Look at the preview again, and export with its new plan_hash.",
    ),
    "booking-days-held": Entry(
        "Days were not exported",
        "{count} sale days between {first} and {last} were not exported; all others were.",
        "Open the export: each day tells why. Mend the cause and retry; only these days are done again.",
    ),
    "booking-doubled": Entry(
        "Entry twice in bexio",
        "bexio holds the entry {reference} more than once: {entries}.",
        "Compare them in bexio and delete all but the first.",
    ),
    "booking-day-not-exported": Entry(
        "Not a day of this export",
        "The export is not about the sale day {day}.",
        "Choose a day of the export, or another export.",
    ),
    "till-silent": Entry(
        "Till is silent",
        "{tills} did not hand over what was sold (last heard: {heard}). {count} sale days are waiting for it,"
        " the first one is {day}.",
        "Switch the till on and connect it, or set it inactive in Arcavis if it is out of use. Or export the "
        "days by hand: what arrives later becomes an entry of its own.",
    ),
    "ledger-missing": Entry(
        "Not in bexio yet",
        "What the tills took on {day} does not stand in bexio: {amount} are missing or too many.",
        "Export the day: only the difference is posted.",
    ),
    "ledger-held": Entry(
        "Day is held",
        "{day} cannot be exported as it is, so bexio lacks it.",
        "Look at the preview of the day: its findings tell what to mend. Then export it.",
    ),
    "ledger-deleted": Entry(
        "Entry deleted in bexio",
        "The entry {reference} of {day} over {amount} was posted and is no longer in bexio.",
        "If that was a mistake, release the entry (POST /bookings/entries/…/release) and export the day "
        "again. If it was on purpose, release it as well and do not export the day again.",
    ),
    "ledger-edited": Entry(
        "Entry changed in bexio",
        "The entry {reference} of {day} says something else in bexio than what was posted: {what}.",
        "Undo the change in bexio. Or delete the entry there, release it (POST /bookings/entries/…/release) "
        "and export the day again.",
    ),
    "ledger-doubled": Entry(
        "Entry twice in bexio",
        "bexio holds the entry {reference} of {day} more than once: {entries}.",
        "Compare them in bexio and delete all but {keep}.",
    ),
    "ledger-foreign": Entry(
        "Entry by somebody else",
        "The entry {entries} of {day} over {amount} books on accounts of the export and is not ours.",
        "If the bookkeeper made it on purpose, nothing is to be done. Otherwise delete it in bexio.",
    ),
    "ledger-unknown": Entry(
        "Entry with our number that we do not know",
        "The entry {entries} of {day} over {amount} carries the number {reference}, but it was never posted "
        "by this export.",
        "Compare it with the entries of the day in bexio, and delete it if it is one too many.",
    ),
    "ledger-unclear": Entry(
        "Outcome not known yet",
        "Nobody knows yet whether the entry {reference} of {day} arrived in bexio.",
        "Wait for the export that sends it. If it has stopped, retry its run: it looks before it sends anything.",
    ),
    "ledger-journal-differs": Entry(
        "Journal does not add up",
        "bexio's journal shows other amounts for the entry {reference} of {day} than the entry itself: {what}.",
        "Compare the entry with the journal in bexio, above all its VAT, and ask bexio's support if they do not agree.",
    ),
    "entry-not-found": Entry(
        "No such entry",
        "There is no entry with this id.",
        "Take the id from the list of entries.",
    ),
    "receipt-not-exported": Entry(
        "Receipt in no entry",
        "No entry in bexio contains the receipt {receipt}.",
        "Export its sale day, or look at the preview: it tells where the receipt belongs.",
    ),
    "entry-still-there": Entry(
        "Entry still in bexio",
        "The entry {reference} still stands in bexio as {entries}.",
        "Only an entry that was deleted in bexio can be released. To take it back, reverse its day.",
    ),
    "entry-not-posted": Entry(
        "Entry not posted",
        "The entry {reference} is not posted, so there is nothing to release.",
        "Wait for its export to end, or retry it.",
    ),
}

PHRASES: frozenset[str] = frozenset(
    {
        "These can be chosen:",
        "copy",
        "Articles",
        "Payments",
        "Store",
        "Till",
        "Kind of booking",
        "Purpose",
        "Main group",
        "Trade group",
        "Article group",
        "Article",
        "VAT rate",
        "Payment type",
        "Currency",
        "Voucher",
        "Tip",
        "Booking journal",
        "Reversal",
        "Sale day",
        "Booked on",
        "Reference",
        "Text",
        "Debit",
        "Credit",
        "VAT code",
        "Amount",
        "VAT",
        "Net",
        "Gross",
        "Receipts",
        "State",
        "Totals per account",
        "Totals per VAT code",
        "Account",
        "Balance",
        "Total",
        "Not posted",
        "posted",
        "unchanged",
        "held",
        "failed",
        "expected",
        "changed",
        "sending",
        "Page",
        "Made on",
        "Days",
    }
)
"""Short words of findings and journals; translated like everything else."""
