"""What people read of effects, by key, in Russian and English: data, and the sentences of the dead-letter desk."""
