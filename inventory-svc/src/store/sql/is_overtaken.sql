-- Whether a transaction with a later number than ours has already written one of these levels. Readers follow the log by
-- number: ours would be read before it, with later versions.
SELECT EXISTS (SELECT 1 FROM inventory.commit_log
               WHERE xid > pg_current_xact_id() AND level_ids && $1::bigint[]) AS overtaken
