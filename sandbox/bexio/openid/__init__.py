"""bexio's sign-in: an OpenID realm like Keycloak's, with a page for consent and refresh tokens that work once."""
