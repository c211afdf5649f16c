"""Contacts and articles."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.texts.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "contact-run-active": Entry(
        "Contacts are being brought over already",
        "Another import, export or sync of contacts is under way: {run}.",
        "Wait until it is finished, or cancel it.",
    ),
    "contacts-next-step": Entry(
        "The next contacts follow",
        "Contacts are brought over a page at a time.",
        "Nothing is to be done.",
    ),
    "contact-group-being-made": Entry(
        "A contact group is being made",
        "The group that marks customers or suppliers is just being created in bexio.",
        "Nothing is to be done; it goes on by itself.",
    ),
    "contact-group-may-land": Entry(
        "It is not clear whether a contact group was made",
        "bexio did not answer when the group was created. Before it is created again it is waited for.",
        "Nothing is to be done; it goes on by itself.",
    ),
    "contact-name-missing": Entry(
        "A contact has no name",
        "The contact has neither a company nor a last or first name; bexio needs one.",
        "Enter the name in Arcavis. The contact then goes on by itself.",
    ),
    "contact-field-too-long": Entry(
        "A field of a contact is too long",
        "The field {field} holds more than {limit} characters, which the other system does not take.",
        "Shorten it. The contact then goes on by itself.",
    ),
    "contact-country-unknown": Entry(
        "bexio does not know the country of a contact",
        "The contact's country is {country}, which is not among bexio's countries.",
        "Correct the country in Arcavis, or create it in bexio under Settings, Countries.",
    ),
    "contact-email-invalid": Entry(
        "The e-mail address of a contact is not valid",
        "bexio takes only complete e-mail addresses.",
        "Correct or remove the address in Arcavis. The contact then goes on by itself.",
    ),
    "contact-refused": Entry(
        "A contact was refused",
        "{system} refused the contact: {reasons}",
        "Correct the contact in the other system. It then goes on by itself.",
    ),
    "contact-outcome-unknown": Entry(
        "It is not known whether a contact was written",
        "{system} failed each time this contact was written; all others went on.",
        "Look for the contact in {system}. The next run tries it again.",
    ),
    "contact-match-open": Entry(
        "It is not certain which bexio contact this is",
        "One or several contacts in bexio could be this Arcavis contact, and nothing decides it.",
        "Say which one it is, or that bexio shall have a new contact.",
    ),
    "contact-field-open": Entry(
        "A contact was changed in both systems",
        "The same fields hold different values in Arcavis and in bexio.",
        "Say which side's values hold. All other fields are in sync.",
    ),
    "contact-deleted-in-arcavis": Entry(
        "The contact was deleted in Arcavis",
        "The contact in bexio was left as it is.",
        "Nothing is to be done. If it comes back in Arcavis, it is kept in sync again.",
    ),
    "contact-archived-in-bexio": Entry(
        "The contact was archived in bexio",
        "The contact in Arcavis was left as it is.",
        "Nothing is to be done. If it is restored in bexio, it is kept in sync again.",
    ),
    "contact-left-its-group": Entry(
        "The contact left its group in bexio",
        "It is no longer in the group of customers or suppliers; the contact in Arcavis was left as it is.",
        "Nothing is to be done. If it joins the group again, it is kept in sync again.",
    ),
    "contacts-wait-for-a-person": Entry(
        "Contacts wait for a decision",
        "{number} contacts cannot be brought over without you.",
        "Look at the list of contact conflicts, decide who is who, and correct what was refused.",
    ),
    "contact-conflict-not-found": Entry(
        "No such contact conflict",
        "There is no conflict with this id.",
        "Take the id from the list of contact conflicts.",
    ),
    "contact-conflict-closed": Entry(
        "The conflict is decided already",
        "Nothing is left to decide about this contact.",
        "Look at the contact as it is now.",
    ),
    "contact-resolution-unfit": Entry(
        "This decision does not fit the conflict",
        "A conflict of the kind {kind} cannot be decided this way.",
        "Fields: “arcavis” or “bexio”. Who is who: “link:” and the bexio contact's id, or “create”."
        " Mend a problem in its system.",
    ),
    "contact-groups-same": Entry(
        "Customers and suppliers have the same group",
        "Both groups of contacts are called {group}; nothing tells customers and suppliers apart.",
        "Choose two different groups in the settings.",
    ),
    "contact-group-doubled": Entry(
        "Several contact groups have the same name",
        "bexio has more than one contact group called {group}; the oldest one is used.",
        "Rename or delete the others in bexio.",
    ),
    "contact-group-will-be-made": Entry(
        "A contact group will be made",
        "bexio has no contact group called {group} yet; the next export or sync of contacts makes it.",
        "Nothing is to be done, or choose another group in the settings.",
    ),
}
