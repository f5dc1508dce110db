-- One snapshot for all checks, so that traffic cannot make two of them disagree; and room to hash a large ledger.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL statement_timeout = 0;
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off;
