"""OAuth, provisioning, mails and the pages people see."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.texts.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "mail-login": Entry(
        "Your Arcavis for {company} is ready",
        "Arcavis and bexio are connected. Contacts, articles with their stock and booking rules were taken "
        "over from bexio.",
        "Sign in with the user below. If you do not know the password, ask for a new one on the sign-in page.",
    ),
    "mail-login-initial": Entry(
        "Your Arcavis for {company} is ready",
        "Arcavis and bexio are connected. Contacts, articles with their stock and booking rules were taken "
        "over from bexio.",
        "Sign in with the user and the initial password below. The password must be changed at the first "
        "sign-in; do it soon, because mails can be read on their way.",
    ),
    "mail-connection-lost": Entry(
        "{company}: the connection to {system} no longer works",
        "{system} no longer accepts the connection. Sales are still taken in; they wait and nothing is lost.",
        "Connect {system} again in Arcavis. What waits goes on by itself then.",
    ),
    "mail-token-expires": Entry(
        "{company}: the access to bexio ends on {day}",
        "The personal access token for bexio ends in {days} days. Without it no invoice reaches bexio any more.",
        "Create a new token in bexio and connect bexio in Arcavis with it before that day.",
    ),
    "mail-digest": Entry(
        "{company}: {count} waiting for you",
        "This waits for a person between Arcavis and bexio. Everything else goes on meanwhile.",
        "Look at each in Arcavis under bexio and press “Try again” once its cause is mended.",
    ),
    "mail-perhaps-sent": Entry(
        "Mail may not have arrived",
        "The mail server did not say whether it took the mail to {recipient}. It is not sent again by "
        "itself, so that nobody gets it twice.",
        "Ask the recipient. If it did not arrive, press “Try again”.",
    ),
    "mail-refused": Entry(
        "Mail refused",
        "The mail server refuses mail to {recipient}.",
        "Correct the address, in the settings or at the recipient's provider, and press “Try again” where "
        "that is offered.",
    ),
    "mail-address-invalid": Entry(
        "Mail address not valid",
        "Nobody can be written to at {recipient}.",
        "Correct the address in the settings.",
    ),
    "mail-not-configured": Entry(
        "No mail server",
        "This installation has no mail server, so the mail to {recipient} was not sent.",
        "Ask your support partner to set CONNECTOR_SMTP_URL, then press “Try again” where that is offered.",
    ),
    "mail-too-late": Entry(
        "Mail not sent in time",
        "The mail to {recipient} could not be sent for so long that it is of no use any more.",
        "Ask your support partner to look at the mail server, then press “Try again” where that is offered.",
    ),
    "mail-server-unreachable": Entry(
        "Mail server away",
        "The mail server does not answer.",
        "Nothing is to be done: the mail is sent when the server is back.",
    ),
    "mail-server-busy": Entry(
        "Mail server busy",
        "The mail server does not take the mail just now (status {status}).",
        "Nothing is to be done: the mail is sent again in a while.",
    ),
    "mail-login-refused": Entry(
        "Mail server refuses our login",
        "The mail server refuses user and password of this installation (status {status}).",
        "The operator corrects CONNECTOR_SMTP_URL. The mail is sent then.",
    ),
    "mail-server-refuses": Entry(
        "Mail server refuses",
        "The mail server refuses the mail (status {status}).",
        "Correct the address or ask its provider.",
    ),
    "mail-unanswered": Entry(
        "Mail server did not answer",
        "The mail server did not say whether it took the mail.",
        "A person is asked before the mail is sent again.",
    ),
    "bexio-connected": Entry(
        "Connected with bexio",
        "The bexio company {company} is now connected with {shop}. What waited goes on by itself.",
        "You can close this window. If this is the wrong company or shop, disconnect bexio in Arcavis.",
    ),
    "bexio-scopes-missing": Entry(
        "Not everything was allowed",
        "bexio did not grant these rights: {scopes}. What needs them waits or cannot be switched on.",
        "Connect bexio again and allow everything on bexio's page.",
    ),
    "bexio-app-not-set-up": Entry(
        "Sign-in is not set up",
        "This installation has no bexio app of its own, so nobody can sign in at bexio with it.",
        "Connect bexio with a personal access token, or have the operator set CONNECTOR_BEXIO_CLIENT_ID and "
        "CONNECTOR_BEXIO_CLIENT_SECRET.",
    ),
    "bexio-app-refused": Entry(
        "bexio refuses the app",
        "bexio does not accept the id and secret of this installation's bexio app.",
        "Nothing is lost; work waits. The operator checks CONNECTOR_BEXIO_CLIENT_ID and "
        "CONNECTOR_BEXIO_CLIENT_SECRET against developer.bexio.com.",
    ),
    "bexio-refresh-refused": Entry(
        "bexio must be connected anew",
        "bexio no longer accepts the connection: access was withdrawn in bexio, or an answer of bexio was "
        "lost at the wrong moment.",
        "Connect bexio again in Arcavis by signing in at bexio. What waits goes on by itself then.",
    ),
    "bexio-renewal-failed": Entry(
        "Access to bexio not renewed yet",
        "bexio did not renew the access, and it is not known why.",
        "Nothing is to be done: it is tried again.",
    ),
    "bexio-renewal-busy": Entry(
        "Access to bexio is being renewed",
        "The access to bexio is being renewed just now.",
        "Nothing is to be done: it goes on in a few seconds.",
    ),
    "bexio-renewal-fails": Entry(
        "Access to bexio cannot be renewed",
        "Renewing the access to bexio has failed {failures} times in a row.",
        "Nothing is lost; it is tried again. If it lasts, ask your support partner whether bexio's sign-in "
        "can be reached.",
    ),
    "sign-in-provider-unusable": Entry(
        "bexio's sign-in cannot be used",
        "What bexio says of its sign-in does not fit the address that is set ({reason}).",
        "The operator checks CONNECTOR_BEXIO_ISSUER_URL. Until then connect bexio with a personal access token.",
    ),
    "sign-in-proof-refused": Entry(
        "Sign-in not proven",
        "bexio's proof of who signed in is not valid ({reason}). Nothing was connected.",
        "Go back to Arcavis and choose “Connect bexio” once more. If it happens again, tell your support "
        "partner the number below.",
    ),
    "sign-in-mixed-up": Entry(
        "Answer from somebody else",
        "The answer does not come from bexio. Nothing was connected.",
        "Go back to Arcavis and choose “Connect bexio” once more. If it happens again, tell your support "
        "partner the number below.",
    ),
    "sign-in-without-company": Entry(
        "No company told",
        "bexio did not say for which company you signed in. Nothing was connected.",
        "Choose “Connect bexio” in Arcavis once more, choose a company at bexio and allow everything.",
    ),
    "sign-in-unknown": Entry(
        "Sign-in unknown",
        "This address does not belong to a sign-in that was begun here. Nothing was connected.",
        "Go back to Arcavis and choose “Connect bexio” once more.",
    ),
    "sign-in-used": Entry(
        "Sign-in already used",
        "This sign-in was used already; this time nothing was done.",
        "If bexio is shown as connected in Arcavis, all is well. Otherwise choose “Connect bexio” there once more.",
    ),
    "sign-in-expired": Entry(
        "Sign-in took too long",
        "A sign-in has to be done within ten minutes. Nothing was connected.",
        "Go back to Arcavis and choose “Connect bexio” once more.",
    ),
    "sign-in-other-browser": Entry(
        "Sign-in begun in another browser",
        "This sign-in was not begun in this browser, or its cookie was refused. Nothing was connected.",
        "Allow cookies for this address and choose “Connect bexio” in Arcavis once more, all in one browser.",
    ),
    "sign-in-interrupted": Entry(
        "bexio did not answer",
        "bexio did not answer while you signed in. Nothing was connected.",
        "Wait a few minutes and choose “Connect bexio” in Arcavis once more.",
    ),
    "sign-in-bexio-away": Entry(
        "bexio's sign-in does not answer",
        "The sign-in page of bexio cannot be reached just now.",
        "Wait a few minutes and load this page again.",
    ),
    "sign-in-denied": Entry(
        "Access was denied",
        "You did not allow the access on bexio's page. Nothing was connected.",
        "If you want to connect bexio, choose “Connect bexio” in Arcavis once more and allow the access.",
    ),
    "sign-in-failed": Entry(
        "Sign-in failed",
        "bexio ended the sign-in with “{reason}”. Nothing was connected.",
        "Go back to Arcavis and choose “Connect bexio” once more. If it happens again, tell your support "
        "partner the number below.",
    ),
    "sign-in-code-refused": Entry(
        "bexio refuses the sign-in",
        "bexio does not accept this sign-in: it was used or is too old. Nothing was connected.",
        "Go back to Arcavis and choose “Connect bexio” once more.",
    ),
    "sign-in-scopes-missing": Entry(
        "Necessary rights were not allowed",
        "Without these rights nothing works, so nothing was connected: {scopes}.",
        "Choose “Connect bexio” in Arcavis once more and allow everything on bexio's page.",
    ),
    "webhook-not-signed": Entry(
        "Webhook not signed",
        "A header of the signature is missing or not understood.",
        "Send webhook-id, webhook-timestamp and webhook-signature as the Standard Webhooks scheme says.",
    ),
    "webhook-too-old": Entry(
        "Webhook at the wrong time",
        "The signature was made more than five minutes before or after now.",
        "Set the clock right and sign the webhook anew.",
    ),
    "webhook-signature-wrong": Entry(
        "Signature wrong",
        "No signature was made over exactly this body with a secret that is known here.",
        "Sign the bytes as they are sent, with the secret that was agreed on.",
    ),
    "provision-company-connected": Entry(
        "Company already connected",
        "{company} is already connected to an existing Arcavis. An existing Arcavis is not connected "
        "through bexio Apps.",
        "Connect bexio in your Arcavis, under System, Extensions, bexio. To begin with a new Arcavis "
        "instead, disconnect bexio there first.",
    ),
    "provision-company-differs": Entry(
        "Another company",
        "The activation is for {company}, but another company was chosen at the sign-in to bexio.",
        "Activate Arcavis in bexio Apps once more and choose {company} at the sign-in.",
    ),
    "provision-authorization-lost": Entry(
        "The permission from bexio is used up",
        "The permission that bexio gave could not be used in time, so nothing was set up.",
        "Activate Arcavis in bexio Apps once more. Nothing has to be undone.",
    ),
    "provision-scopes-missing": Entry(
        "Necessary rights were not allowed",
        "Without these rights nothing works, so nothing was set up: {scopes}.",
        "Activate Arcavis in bexio Apps once more and allow everything on bexio's page.",
    ),
    "provision-in-other-hands": Entry(
        "Activation is being taken in",
        "An earlier call with this activation uses its permission from bexio just now, and its end is not known yet.",
        "Send the same webhook again in some seconds.",
    ),
    "provision-without-address": Entry(
        "No mail address",
        "bexio did not tell the mail address of the person who signed in, so the login could not be mailed.",
        "Sign in as a person with a mail address in bexio.",
    ),
    "provision-not-found": Entry(
        "No such activation",
        "There is no activation with this address.",
        "Open the address that you were given, or activate Arcavis in bexio Apps.",
    ),
    "provision-not-retryable": Entry(
        "Only a new activation helps",
        "This activation is over and cannot go on.",
        "Activate Arcavis in bexio Apps once more.",
    ),
    "provision-environment-unusable": Entry(
        "New Arcavis not usable",
        "The address of the new Arcavis is not allowed here: {reason}.",
        "Ask your support partner: the Arcavis hosting gave an address that this installation must not call.",
    ),
    "provision-environment-not-ready": Entry(
        "New Arcavis not ready yet",
        "The new Arcavis was made and does not answer as it should yet.",
        "Nothing is to be done for some minutes. If it stays so, ask your support partner and press “Try again”.",
    ),
    "provision-imports-run": Entry(
        "Contacts and articles are being imported",
        "Contacts and articles are on their way from bexio to Arcavis.",
        "Nothing is to be done.",
    ),
    "provision-import-failed": Entry(
        "An import failed",
        "Contacts or articles could not be imported. What was imported stays.",
        "Mend the cause and press “Try again”. The import goes on where it stood.",
    ),
    "hosting-not-configured": Entry(
        "No Arcavis hosting",
        "This installation cannot make new Arcavis environments.",
        "The operator sets CONNECTOR_ARCAVIS_HOSTING_URL and CONNECTOR_ARCAVIS_HOSTING_KEY, then press “Try again”.",
    ),
    "hosting-refused": Entry(
        "Arcavis hosting refuses",
        "The Arcavis hosting answered with status {status}: {reasons}",
        "Ask your support partner to look at the hosting, then press “Try again”.",
    ),
    "hosting-unreachable": Entry(
        "Arcavis hosting does not answer",
        "The Arcavis hosting does not answer just now.",
        "Nothing is to be done: it is tried again by itself.",
    ),
    "hosting-busy": Entry(
        "Arcavis hosting is busy",
        "The Arcavis hosting asks to wait.",
        "Nothing needs to be done; it is tried again by itself.",
    ),
}

# Short words of pages and mails.
PHRASES: frozenset[str] = frozenset(
    {
        "Address",
        "User",
        "Initial password",
        "This message was written by the connector between Arcavis and bexio.",
        "Recognise the company",
        "Make a place for the shop",
        "Connect bexio",
        "Make Arcavis",
        "Connect Arcavis",
        "Set up the payment type “Bexio Rechnung”",
        "Take over settings from bexio",
        "Import contacts",
        "Import articles and stock",
        "Make booking rules",
        "Mail the login",
        "The person who activated Arcavis.",
        "The term of payment that bexio gives new invoices.",
        "The payment type of this name in bexio, or else its default.",
        "The account for revenue from goods in bexio's chart of accounts.",
        "The bank account that bexio prints on invoices, or the only one.",
        "The payment type that was set up in Arcavis.",
        "The language of the activation.",
        "Your Arcavis is being set up",
        "Your Arcavis is ready",
        "Arcavis could not be set up",
        "done",
        "in progress",
        "waiting",
        "still to come",
        "left out",
        "Progress",
        "Try again",
        "Open Arcavis",
        "{done} of {total}",
        "Choices and their reasons",
        "You may close this page: it goes on by itself, and the login comes by mail.",
        "The login was sent by mail.",
        "Left open, and what to do",
        "Activate Arcavis in bexio Apps once more. What was done stays, and the set-up goes on where it stood.",
        (
            "Give the person who activated Arcavis this right in bexio (Settings > All settings > General > User "
            "management) and press “Try again”, or have somebody with all rights activate Arcavis in bexio Apps "
            "once more."
        ),
        "Ask your support partner to look at the new Arcavis, then press “Try again”.",
        "Bexio's own account for rounding differences.",
        "Begin once more with the button below, or activate Arcavis in bexio Apps once more.",
        "Begin once more with the button below, choose your company at bexio and allow everything there.",
        (
            "If you see elsewhere that Arcavis is being set up, all is well. Otherwise begin once more with the "
            "button below."
        ),
        "Allow cookies for this address and begin once more with the button below, all in one browser.",
        "Wait a few minutes and begin once more with the button below.",
        "Begin once more",
    }
)
