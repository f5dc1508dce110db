"""Expressions that many panels share. `$namespace` and `$job` are the dashboards' variables."""

PLACE = 'namespace=~"$namespace"'
HERE = f'{PLACE},job=~"$job"'
# What is asked of the services by people and by each other, and has an end.
CALLS = 'rpc_method=~"holdfast[.].*",rpc_method!~".*/Watch.*"'


def rate(series, by="", within=HERE, only=""):
    """How often a second, summed by these labels."""
    matchers = ",".join(part for part in (within, only) if part)
    return f"sum by ({by}) (rate({series}{{{matchers}}}[$__rate_interval]))"


def quantile(share, histogram, by="", within=HERE, only=""):
    """The time below which this share of the observations lie."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', labels, within, only)})"


def gauge(series, by="", how="sum", within=HERE, only=""):
    matchers = ",".join(part for part in (within, only) if part)
    return f"{how} by ({by}) ({series}{{{matchers}}})"
