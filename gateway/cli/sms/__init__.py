"""`sms`: providers of SMS, and what goes out through them."""
