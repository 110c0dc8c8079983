"""How a form that shows a stored row whole is saved beside what others saved meanwhile. Pages say which fields they show and
store what comes out; nothing here reads or writes a database."""
