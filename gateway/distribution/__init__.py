"""Who gets a deal, carried out: what is to be given, decided once, booked in the ledgers, ordered from the CRM, looked after."""
