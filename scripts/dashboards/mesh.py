"""Between the services: who calls whom, what is repeated, refused, stepped around."""

from grafana import dashboard, graph, stat
from promql import CALLS, HERE, gauge, quantile, rate

REPEATED = rate("holdfast_rpc_client_retries_total", only='outcome=~"retried|hedged"')

DASHBOARD = dashboard(
    "mesh",
    "Mesh",
    "Calls between the services: latencies, endpoints, retries, shedding, certificates.",
    [
        (
            "Calls",
            [
                graph(
                    "Calls to others", "reqps", "By caller and method, as the caller sees them: retries are part of one call.",
                    (rate("rpc_client_call_duration_seconds_count", "job, rpc_method", only=CALLS), "{{job}} → {{rpc_method}}"), width=12,
                ),
                graph(
                    "Calls to others that failed", "reqps", "By caller and status, after retries. If the callee's own graph (Fleet) shows none, the way between is broken: "
                    "endpoints below, then the network policies.",
                    (rate("rpc_client_call_duration_seconds_count", "job, rpc_response_status_code", only=f'{CALLS},rpc_response_status_code!="OK"'), "{{job}}: {{rpc_response_status_code}}"), width=12,
                ),
                graph(
                    "Slowest calls to others (p99)", "s", "For the caller. Far above the callee's own p99: retries, a lost endpoint, or too few connections.",
                    (quantile(0.99, "rpc_client_call_duration_seconds", "job, rpc_method", only=CALLS), "{{job}} → {{rpc_method}}"), width=12,
                ),
                graph(
                    "Slowest calls served (p99)", "s", "By method. Streams last as long as somebody listens and are left out.",
                    (quantile(0.99, "rpc_server_call_duration_seconds", "job, rpc_method", only=CALLS), "{{rpc_method}}"), width=12, thresholds=[(0.25, "red")],
                ),
            ],
        ),
        (
            "Endpoints",
            [
                stat(
                    "Breakers not closed", "short", "Endpoints that get no calls just now, over all callers. One for long: restart that pod. All of a service: it is down.",
                    (gauge("holdfast_rpc_client_endpoints", only='breaker_state=~"open|probing"'), "open or probing"), thresholds=[(1, "red")],
                ),
                graph(
                    "Endpoints known", "short", "By caller, callee and what the breaker does. Fewer than there are pods: discovery (DNS, the headless service).",
                    (gauge("holdfast_rpc_client_endpoints", "job, workload, breaker_state") + " > 0", "{{job}} → {{workload}}: {{breaker_state}}"), width=10,
                ),
                graph(
                    "Breakers opening", "cps", "Times a second, by callee. Steady: an endpoint that comes and goes; its log says why.",
                    (rate("holdfast_rpc_client_breaker_trips_total", "job, workload"), "{{job}} → {{workload}}"), width=10,
                ),
                graph(
                    "Share of each replica", "percentunit", "Of its service's calls: shares should be alike. A new replica is warmed for seconds; one that stays low is slow.",
                    (f"{rate('rpc_server_call_duration_seconds_count', 'job, instance', only=CALLS)} / on (job) group_left () {rate('rpc_server_call_duration_seconds_count', 'job', only=CALLS)}", "{{job}} {{instance}}"),
                    width=24, bound=1,
                ),
            ],
        ),
        (
            "Repeats and refusals",
            [
                graph(
                    "Calls asked again", "cps", "By callee. `no_budget`: so many fail that repeating them would be the overload; mend the callee. `pushed_back`: the callee said not to.",
                    (rate("holdfast_rpc_client_retries_total", "workload, outcome"), "{{workload}}: {{outcome}}"),
                ),
                graph(
                    "Calls a call", "none", "Sendings for each call made: 1 is none repeated; the budget keeps it below 1.2.",
                    (f"1 + {REPEATED} / {rate('rpc_client_call_duration_seconds_count', only=CALLS)}", "sendings"), thresholds=[(1.2, "red")],
                ),
                graph(
                    "Repeats left", "short", "Of the budget that retries and hedges share, by callee: the least of any caller. At 0 errors reach callers unmended.",
                    (gauge("holdfast_rpc_client_retry_budget", "job, workload", "min"), "{{job}} → {{workload}}"),
                ),
                graph(
                    "Calls refused unheard", "cps", "`concurrency`: overload, least critical first. `expired`: callers give too little time. `draining`: a rollout. Critical ones refused: add replicas.",
                    (rate("holdfast_rpc_server_shed_total", "job, reason, criticality"), "{{job}}: {{reason}} {{criticality}}"), width=12,
                ),
                graph(
                    "Calls under way and their limit", "short", "The limit follows what calls wait beyond their own work. Where calls touch it, the service is full.",
                    (gauge("holdfast_rpc_server_active_calls", "job, instance"), "{{job}} {{instance}} under way"),
                    (gauge("holdfast_rpc_server_concurrency_limit", "job, instance", "min"), "{{job}} {{instance}} limit"), width=12,
                ),
                graph(
                    "Calls out of time", "cps", "DEADLINE_EXCEEDED by method, as served: the method needs longer than its callers give.",
                    (rate("rpc_server_call_duration_seconds_count", "rpc_method", only='rpc_response_status_code="DEADLINE_EXCEEDED"'), "{{rpc_method}}"), width=24,
                ),
            ],
        ),
        (
            "Mutual TLS",
            [
                graph(
                    "Certificates' life", "s", "Falls and jumps back at each renewal. No jump: cert-manager, then the mounted Secret. Without mutual TLS there is none.",
                    (f"holdfast_tls_certificate_remaining_seconds{{{HERE}}}", "{{job}} {{instance}}"), width=12,
                ),
                graph(
                    "Certificates read again", "short", "`refused`: the new files are broken and the old certificate goes on until it ends. The log says what is wrong.",
                    (f"sum by (job, outcome) (increase(holdfast_tls_certificate_reloads_total{{{HERE}}}[1h]))", "{{job}}: {{outcome}}"), width=12,
                ),
            ],
        ),
    ],
)
