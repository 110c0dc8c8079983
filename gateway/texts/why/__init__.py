"""Why something was decided, in whole sentences and in two words, in Russian and English."""
