"""SQL of the effects: `orders` (made by decisions), `work` (what the writer does with them), `desk`, `runs` (backfill)."""
