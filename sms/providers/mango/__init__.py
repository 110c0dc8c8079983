"""MANGO OFFICE: SMS of its cloud PBX, charged to an employee's extension."""
