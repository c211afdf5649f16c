"""bexio's sign-in (OpenID Connect): discovery, the authorization code with PKCE, proofs, tokens."""
