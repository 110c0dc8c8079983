"""What a person orders of distribution: templates and where they apply, deals given by hand or by the stage, what came of it."""
