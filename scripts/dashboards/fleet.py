"""Is it well? The one to open first."""

from grafana import dashboard, graph, stat
from promql import CALLS, HERE, PLACE, gauge, quantile, rate

SLO = f'holdfast:slo_errors:ratio_rate{{window}}{{{{{HERE},slo="{{slo}}"}}}}'
BUDGET = 'on (slo) group_left () holdfast:slo_error_budget:ratio{slo="%s"}'
BURN = [(1, "yellow"), (6, "orange"), (14.4, "red")]


def burn(slo, window):
    return f"{SLO.format(window=window, slo=slo)} / {BUDGET % slo}"


def burn_graph(title, slo, promise):
    return graph(
        title,
        "none",
        f"How fast each service spends its error budget ({promise}): 1 is exactly all of it in 30 days. Above 14.4 over an "
        "hour, and still over five minutes, somebody is paged. Find the method in the graphs below, then its trace.",
        (burn(slo, "1h"), "{{job}}, 1 h"),
        (burn(slo, "5m"), "{{job}}, 5 min"),
        thresholds=BURN,
        width=12,
    )


DASHBOARD = dashboard(
    "fleet",
    "Fleet",
    "Whether the services keep their promises, and which does not.",
    [
        (
            "Now",
            [
                stat(
                    "Units oversold", "short", "Anything but 0 is an incident: runbook, HoldfastOversold.",
                    (gauge("holdfast_inventory_oversold_units", how="max", within=PLACE), "units"), thresholds=[(1, "red")],
                ),
                stat(
                    "Alerts firing", "short", "Each has a page in the runbook.",
                    (f'count(ALERTS{{{PLACE},product="holdfast",alertstate="firing"}}) or vector(0)', "alerts"), thresholds=[(1, "red")],
                ),
                stat(
                    "Processes that answer", "percentunit", "The share of processes that Prometheus can read. Below 100 %: look at the pods.",
                    (f"avg by (job) (up{{{HERE}}})", "{{job}}"), base="red", thresholds=[(1, "green")], width=12,
                ),
                stat(
                    "Certificate's life", "s", "The shortest in the fleet. Without mutual TLS there is none.",
                    (gauge("holdfast_tls_certificate_remaining_seconds", how="min"), "left"), base="red", thresholds=[(3600, "yellow"), (21600, "green")],
                ),
            ],
        ),
        (
            "Promises",
            [
                burn_graph("Availability budget", "availability", "99.9 % of the calls are answered"),
                burn_graph("Latency budget", "latency", "99 % of the answers come within 250 ms; placing and cancelling orders, which wait for a payment provider, apart"),
                stat(
                    "Budget left, 3 days", "percentunit", "What is left of three days' share of the error budget. Below zero: stop rollouts until it recovers.",
                    (f"1 - {burn('availability', '3d')}", "{{job}}, availability"),
                    (f"1 - {burn('latency', '3d')}", "{{job}}, latency"),
                    base="red", thresholds=[(0, "yellow"), (0.25, "green")], width=24,
                ),
            ],
        ),
        (
            "At the door",
            [
                graph(
                    "Requests", "reqps", "What browsers ask, by route. A route that vanishes is as telling as one that grows.",
                    (rate("http_server_request_duration_seconds_count", "http_route", PLACE), "{{http_route}}"),
                ),
                graph(
                    "Requests by answer", "reqps", "409 is a drop's daily bread (sold out). 429: overload, see Mesh. 5xx: ours.",
                    (rate("http_server_request_duration_seconds_count", "http_response_status_code", PLACE), "{{http_response_status_code}}"),
                ),
                graph(
                    "Slowest requests (p99)", "s", "Open the exemplar's trace of a slow route: it shows which hop took the time.",
                    (quantile(0.99, "http_server_request_duration_seconds", "http_route", PLACE), "{{http_route}}"), thresholds=[(0.25, "red")],
                ),
                graph(
                    "Requests under way", "short", "Grows where the services behind are slow.",
                    (gauge("http_server_active_requests", "http_request_method", within=PLACE), "{{http_request_method}}"),
                ),
                graph(
                    "Event streams open", "short", "Browsers that watch. All gone at once: a rollout of the gateway; they come back by themselves.",
                    (gauge("holdfast_gateway_event_streams", within=PLACE), "streams"),
                ),
                graph(
                    "Traces", "cps", "Spans sent, and lost on the way. Lost ones cost nothing but themselves: look at the collector.",
                    (rate("holdfast_telemetry_spans_sent_total"), "sent"),
                    (rate("holdfast_telemetry_spans_dropped_total", "reason"), "lost: {{reason}}"),
                ),
            ],
        ),
        (
            "Services",
            [
                graph(
                    "Calls served", "reqps", "RPCs by service.",
                    (rate("rpc_server_call_duration_seconds_count", "job", only=CALLS), "{{job}}"),
                ),
                graph(
                    "Calls not OK", "reqps", "By status. FAILED_PRECONDITION and ABORTED are refusals (sold out, changed); UNAVAILABLE, "
                    "INTERNAL, UNKNOWN, DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED are failures: Mesh says between whom.",
                    (rate("rpc_server_call_duration_seconds_count", "job, rpc_response_status_code", only=f'{CALLS},rpc_response_status_code!="OK"'), "{{job}} {{rpc_response_status_code}}"),
                ),
                graph(
                    "Slowest calls (p99)", "s", "By service. Where inventory is slow, look at Postgres' commits first.",
                    (quantile(0.99, "rpc_server_call_duration_seconds", "job", only=CALLS), "{{job}}"), thresholds=[(0.25, "red")],
                ),
            ],
        ),
    ],
)
