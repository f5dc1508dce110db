-- A ledger restored from a dump has transaction numbers of another server, some of them in this one's future, where no
-- reader would look for them. They become the ledger's beginning, in their old order.
UPDATE orders.event SET xid = '0' WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
