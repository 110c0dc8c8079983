"""Auto-callback queue, outbound campaigns and triggers of the sales pipeline. Imports routing only."""
