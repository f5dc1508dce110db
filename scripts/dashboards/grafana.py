"""The few words of Grafana's dashboard schema that the dashboards are written in."""

SCHEMA_VERSION = 39
COLUMNS = 24
HEIGHT = 8
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def variable(name, label, metric, of, every):
    """A drop-down of a label's values; `every` is what "All" stands for."""
    query = f"label_values({metric}, {of})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": every,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def variables(has_job):
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1}
    listed = [source, variable("namespace", "Namespace", 'up{job=~"holdfast/.*"}', "namespace", ".*")]
    if has_job:
        listed.append(variable("job", "Service", 'up{namespace=~"$namespace",job=~"holdfast/.*"}', "job", "holdfast/.*"))
    return listed


def steps(thresholds, base):
    """Colours from a list of (value, colour); `base` below the first."""
    return [{"color": base, "value": None}] + [{"color": colour, "value": value} for value, colour in thresholds]


def panel(kind, title, unit, description, *queries, thresholds=(), base="green", width=8, bound=None):
    """A panel of (expression, legend) pairs. `description` says what to do about what it shows."""
    targets = [
        {
            "refId": chr(ord("A") + place),
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": expression,
            "legendFormat": legend,
            "range": kind == "timeseries",
            "instant": kind == "stat",
            # Points at traces of slow calls.
            "exemplar": "_bucket" in expression,
        }
        for place, (expression, legend) in enumerate(queries)
    ]
    defaults = {"unit": unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps(thresholds, base)}}
    if bound is not None:
        defaults["max"] = bound
    options = {"tooltip": {"mode": "multi", "sort": "desc"}, "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["max", "lastNotNull"]}}
    if kind == "timeseries":
        style = "line" if thresholds else "off"
        defaults["custom"] = {"fillOpacity": 8, "showPoints": "never", "thresholdsStyle": {"mode": style}}
    else:
        defaults["color"] = {"mode": "thresholds"}
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "graphMode": "none"}
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "gridPos": {"w": width, "h": HEIGHT if kind == "timeseries" else HEIGHT // 2},
    }


def stat(title, unit, description, *queries, **more):
    return panel("stat", title, unit, description, *queries, **{"width": 4, **more})


def graph(title, unit, description, *queries, **more):
    return panel("timeseries", title, unit, description, *queries, **more)


def laid_out(rows):
    """Panels with their places and numbers: rows of (title, panels), each filled from the left."""
    panels, y = [], 0
    for title, members in rows:
        panels.append({"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        x, y, height = 0, y + 1, 0
        for member in members:
            place = member["gridPos"]
            if x + place["w"] > COLUMNS:
                x, y, height = 0, y + height, 0
            place.update(x=x, y=y)
            x, height = x + place["w"], max(height, place["h"])
            panels.append(member)
        y += height
    for number, member in enumerate(panels, start=1):
        member["id"] = number
    return panels


def dashboard(name, title, description, rows, has_job=True):
    link = {"type": "dashboards", "tags": ["holdfast"], "title": "Holdfast", "asDropdown": True, "includeVars": True, "keepTime": True}
    return {
        "uid": f"holdfast-{name}",
        "title": f"Holdfast / {title}",
        "description": description,
        "tags": ["holdfast"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": variables(has_job)},
        "annotations": {"list": []},
        "links": [link],
        "panels": laid_out(rows),
    }
