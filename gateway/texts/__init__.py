"""What people read of the gateway, by key, in Russian and English. Catalogues are data; sentences are made at the edge."""
