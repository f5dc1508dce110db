"""What the shop sells: stock, orders, recommendations."""

from grafana import dashboard, graph, stat
from promql import PLACE, gauge, quantile, rate


def sold(series, by="", only=""):
    return rate(series, by, PLACE, only)


DASHBOARD = dashboard(
    "commerce",
    "Commerce",
    "Holds, orders, payments and recommendations, without a word about any one shopper or SKU.",
    [
        (
            "Stock",
            [
                stat(
                    "Units oversold", "short", "Anything but 0 is an incident: runbook, HoldfastOversold.",
                    (gauge("holdfast_inventory_oversold_units", how="max", within=PLACE), "units"), thresholds=[(1, "red")],
                ),
                graph(
                    "Holds asked for", "cps", "By outcome. `insufficient_stock` is a drop; `overloaded` and `deadline_passed` are lost sales: see the lanes.",
                    (sold("holdfast_inventory_reservations_total", "outcome"), "{{outcome}}"), width=10,
                ),
                graph(
                    "Reservations ending", "cps", "By what they became. Many `expired`: shoppers walk away, or checkout is broken.",
                    (sold("holdfast_inventory_reservation_transitions_total", "state"), "{{state}}"), width=10,
                ),
                graph(
                    "Units moved", "short", "Units a second by the ledger's kinds of movement.",
                    (sold("holdfast_inventory_units_total", "movement"), "{{movement}}"),
                ),
                graph(
                    "Late expiry (p99)", "s", "How long after its end a hold was given back: units nobody could buy meanwhile. Above seconds: is a process of inventory at work, is the database slow?",
                    (quantile(0.99, "holdfast_inventory_hold_expiry_lag_seconds", within=PLACE), "lag"), thresholds=[(30, "red")],
                ),
                graph(
                    "Requests repeated", "cps", "Commands answered again from what their first time left: shoppers' or services' retries, each harmless.",
                    (sold("holdfast_inventory_replays_total", "command"), "{{command}}"),
                    (sold("holdfast_order_replays_total"), "order"),
                ),
            ],
        ),
        (
            "Lanes",
            [
                graph(
                    "Commands waiting", "short", "A replica refuses beyond 4096. Growing: the database commits too slowly for what is asked; see Postgres.",
                    (gauge("holdfast_inventory_lane_queue", "instance", "max", PLACE), "{{instance}}"), thresholds=[(2048, "red")],
                ),
                graph(
                    "Commands a batch", "short", "Half of the batches have at most p50. Larger batches are how load is carried.",
                    (quantile(0.5, "holdfast_inventory_lane_batch_commands", within=PLACE), "p50"),
                    (quantile(0.99, "holdfast_inventory_lane_batch_commands", within=PLACE), "p99"),
                ),
                graph(
                    "A batch's time (p99)", "s", "From its cut to its commit. `locked` is decided twice: another replica had the same levels.",
                    (quantile(0.99, "holdfast_inventory_lane_batch_duration_seconds", "path", PLACE), "{{path}}"),
                ),
            ],
        ),
        (
            "Orders and payments",
            [
                graph(
                    "Orders", "cps", "By the state they came to.",
                    (sold("holdfast_order_orders_total", "state"), "{{state}}"),
                ),
                graph(
                    "Orders that came to nothing", "cps", "By why. PAYMENT_TIMEOUT, UNAVAILABLE and INTERNAL are not the shopper's doing.",
                    (sold("holdfast_order_failures_total", "reason"), "{{reason}}"),
                ),
                graph(
                    "Undone steps", "cps", "Voids, refunds, releases, restocks: what failed orders had done. They are retried until they are done.",
                    (sold("holdfast_order_compensations_total", "step"), "{{step}}"),
                ),
                graph(
                    "Payment providers (p99)", "s", "By step. Slow here and nowhere else: it is the provider.",
                    (quantile(0.99, "holdfast_order_payment_duration_seconds", "step, answered", PLACE), "{{step}}, answered: {{answered}}"),
                ),
                graph(
                    "Steps nobody answered for", "cps", "Tried again until answered; the step says who is silent.",
                    (sold("holdfast_order_steps_unanswered_total", "step"), "{{step}}"),
                ),
                graph(
                    "Orders being worked on", "short", "By replica. Growing without end: a provider or inventory hangs.",
                    (gauge("holdfast_order_running", "instance", within=PLACE), "{{instance}}"),
                ),
            ],
        ),
        (
            "Recommendations",
            [
                graph(
                    "Answers", "cps", "By how much of what was asked for they had. `empty`: the shelf stays blank.",
                    (sold("holdfast_rec_answers_total", "filled"), "{{filled}}"),
                ),
                graph(
                    "Fallbacks", "cps", "Answers that are not the model's first choice. `stock_lag`: inventory's stream is behind.",
                    (sold("holdfast_rec_fallbacks_total", "reason"), "{{reason}}"),
                ),
                graph(
                    "Candidates checked", "cps", "By what the stock said. Mostly `sold_out`: the model runs after the drop.",
                    (sold("holdfast_rec_candidates_total", "checked"), "{{checked}}"),
                ),
                graph(
                    "Events", "cps", "Made durable, and learned from. The second stays behind: the model is stale.",
                    (sold("holdfast_rec_events_recorded_total"), "recorded"),
                    (sold("holdfast_rec_events_folded_total"), "learned"), width=12,
                ),
                graph(
                    "Model's age", "s", "Since it last had all of the log. Answers go on with the old one; see the process's log.",
                    (f'time() - {gauge("holdfast_rec_model_fresh_timestamp_seconds", "instance", "max", PLACE)}', "{{instance}}"), thresholds=[(300, "red")], width=12,
                ),
            ],
        ),
    ],
    has_job=False,
)
