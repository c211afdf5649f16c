"""Sign-ins, provisioning and mails."""
