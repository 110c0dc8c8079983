"""SQL of webhooks that came and of exchanges with CRMs."""
