"""What stands between a decided effect and a finished CRM write: the effects' rows, packing, recovery, words for the desk.

`crm/effects/order.py` orders effects, `crm/effects/writer.py` carries them out. No HTTP here, SQL only in store files.
"""
