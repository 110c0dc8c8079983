"""Who signs in to the pages: step by step, with a second factor or a link, and the sessions that follow."""
