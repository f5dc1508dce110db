"""The database, as those who wait for it see it, and the events that come out of it."""

from grafana import dashboard, graph
from promql import HERE, gauge, quantile, rate

OPERATIONS = "db_client_operation_duration_seconds"

DASHBOARD = dashboard(
    "postgres",
    "Postgres",
    "Statements, connections and events from the services' side: no exporter on the database is needed.",
    [
        (
            "Statements",
            [
                graph(
                    "Statements", "ops", "By service and kind. A hold is one INSERT or UPDATE for many.",
                    (rate(f"{OPERATIONS}_count", "job, db_operation_name"), "{{job}} {{db_operation_name}}"),
                ),
                graph(
                    "Slowest statements (p99)", "s", "From here and back. All kinds slow: the network or the processor. Only writes: the disk's flush (pg_stat_io, fsync).",
                    (quantile(0.99, OPERATIONS, "job, db_operation_name"), "{{job}} {{db_operation_name}}"), thresholds=[(0.1, "red")],
                ),
                graph(
                    "Middle statements (p50)", "s", "What a statement usually takes: on a local disk below a millisecond for reads.",
                    (quantile(0.5, OPERATIONS, "job, db_operation_name"), "{{job}} {{db_operation_name}}"),
                ),
                graph(
                    "Failed statements", "ops", "`connection_lost`: a failover or a restart. `timeout`: a lock or a slow disk (pg_stat_activity, pg_locks). `conflict`: retried by itself.",
                    (rate(f"{OPERATIONS}_count", "job, error_type", only='error_type!=""'), "{{job}} {{error_type}}"), width=12,
                ),
                graph(
                    "Stock batches (p99)", "s", "The statement everything hot waits for: a batch of holds from its cut to its commit.",
                    (quantile(0.99, "holdfast_inventory_lane_batch_duration_seconds", "path"), "{{path}}"), width=12,
                ),
            ],
        ),
        (
            "Connections",
            [
                graph(
                    "Connections", "short", "By service. Their sum over all replicas must stay below the server's max_connections.",
                    (gauge("db_client_connection_count", "job, db_client_connection_pool_name, db_client_connection_state"), "{{job}} {{db_client_connection_pool_name}} {{db_client_connection_state}}"),
                ),
                graph(
                    "Waiting for a connection (p99)", "s", "Long waits with fast statements: the pool is small for the load. With slow ones: mend those.",
                    (quantile(0.99, "db_client_connection_wait_time_seconds", "job"), "{{job}}"), thresholds=[(0.1, "red")],
                ),
                graph(
                    "No connection became free", "ops", "Callers that gave up after 5 s. Is the database there?",
                    (rate("db_client_connection_timeouts_total", "job"), "{{job}}"),
                ),
            ],
        ),
        (
            "Events",
            [
                graph(
                    "Waiting in the outbox", "short", "Written down and not yet on Kafka; counted up to 10 000. With the Postgres bus there is no outbox but the ledger.",
                    (gauge("holdfast_outbox_pending", "workload", "max"), "{{workload}}"),
                ),
                graph(
                    "The outbox's oldest", "s", "How long the oldest of them has waited. Growing: the relay or the broker; the log says which.",
                    (gauge("holdfast_outbox_oldest_age_seconds", "workload", "max"), "{{workload}}"), thresholds=[(60, "red")],
                ),
                graph(
                    "Published", "cps", "Events the relay put on Kafka, by whose they are.",
                    (rate("holdfast_outbox_published_total", "workload"), "{{workload}}"),
                ),
                graph(
                    "Handled", "cps", "Events that had their effect at a consumer, by whose they are.",
                    (rate("holdfast_bus_event_lag_seconds_count", "job, workload"), "{{workload}} → {{job}}"),
                ),
                graph(
                    "From commit to consumer (p99)", "s", "Usually tens of milliseconds. Above seconds: the consumer or its database is behind.",
                    (quantile(0.99, "holdfast_bus_event_lag_seconds", "job, workload"), "{{workload}} → {{job}}"), thresholds=[(5, "red")],
                ),
                graph(
                    "Parked", "short", "Events no consumer could take, and those behind them: `holdfast events parked` lists them with their cause.",
                    (gauge("holdfast_bus_parked", "job, workload", "max"), "{{workload}} → {{job}}"), thresholds=[(1, "red")],
                ),
            ],
        ),
    ],
)
