-- A ledger restored from a dump has transaction numbers of another server, some of them in this one's future, where no
-- reader would look for them. All of it becomes the ledger's beginning, in its old order, and readers begin again.
WITH found AS MATERIALIZED (
    SELECT EXISTS (SELECT 1 FROM orders.event WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())) AS is_foreign
), reordered AS (
    UPDATE orders.event_order SET number = number + 1 WHERE (SELECT is_foreign FROM found)
)
UPDATE orders.event SET xid = '0' WHERE (SELECT is_foreign FROM found)
