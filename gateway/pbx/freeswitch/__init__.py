"""FreeSWITCH: mod_xml_curl asks for a dialplan, mod_json_cdr posts what became of each leg. Built from its source and
documentation; no FreeSWITCH has been run against it."""
