"""SQL around the matrix: versions on trial, revisions of the draft, and who has it open."""
