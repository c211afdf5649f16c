"""What accepting and sending a sale costs, measured against floors."""
