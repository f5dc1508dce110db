-- One snapshot for all checks, so that traffic cannot make two of them disagree.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL statement_timeout = 0;
-- The checks join whole tables: hashed or merged they take seconds, in nested loops over what the planner's statistics
-- have not caught up with, hours.
SET LOCAL enable_nestloop = off;
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off;
