"""The page on which a person signs in, chooses a company and allows or denies. Plain HTML, without a script."""

from collections.abc import Iterable, Mapping
from html import escape

from sandbox.bexio.realm import Client, Member

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main><h1>{title}</h1>
{body}
</main></body></html>
"""


def consent(client: Client, members: Iterable[Member], scopes: Iterable[str], asked: Mapping[str, str]) -> str:
    """Who signs in, for which company, and whether the application may."""
    choices = "\n".join(
        f'<option value="{escape(choice_of(member))}">{escape(_name(member))}</option>' for member in members
    )
    hidden = "\n".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in asked.items())
    wishes = "\n".join(f"<li>{escape(scope)}</li>" for scope in sorted(scopes))
    return _page(
        "Simulated bexio",
        f"""<p><strong>{escape(client.name)}</strong> wants access to a company of yours:</p>
<ul>
{wishes}
</ul>
<form method="post">
{hidden}
<p><label for="member">User and company</label>
<select id="member" name="member">
{choices}
</select></p>
<p><button id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button></p>
</form>""",
    )


def refusal(text: str) -> str:
    """What a person sees when the application cannot be trusted with an answer."""
    return _page("We are sorry", f"<p>{escape(text)}</p>")


def choice_of(member: Member) -> str:
    """A user of a company as the form sends it."""
    return f"{member.company.id}/{member.user['id']}"


def _name(member: Member) -> str:
    user = member.user
    return f"{user['firstname']} {user['lastname']} ({user['email']}), {member.company.name}"


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=escape(title), body=body)
