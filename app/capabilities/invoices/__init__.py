"""Till sales paid on bexio invoice, and open invoices that a customer may pay at the till."""
