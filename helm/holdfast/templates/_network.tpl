{{/* One egress rule: to these peers (anywhere where there are none) on these TCP ports. Takes (dict "to" list "ports" list). */}}
{{- define "holdfast.egressRule" -}}
- ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "holdfast.egressDns" -}}
- ports:
    {{- range .Values.networkPolicy.egress.dnsPorts }}
    - {protocol: UDP, port: {{ int . }}}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
  to:
    {{- toYaml .Values.networkPolicy.egress.dns | nindent 4 }}
{{- end -}}

{{- define "holdfast.egressDatabase" -}}
{{ include "holdfast.egressRule" (dict "ports" (list .Values.database.port) "to" .Values.networkPolicy.egress.database) }}
{{- end -}}

{{/* The ports in `kafka://a:9092,[::1]:9093/prefix?option=1`, each once. */}}
{{- define "holdfast.egressBus" -}}
{{- $ports := list -}}
{{- range regexFind "^kafka://[^/?]+" .Values.bus | splitList "," -}}
{{- $ports = append $ports (regexFind "[0-9]+$" .) -}}
{{- end -}}
{{ include "holdfast.egressRule" (dict "ports" (uniq $ports) "to" .Values.networkPolicy.egress.bus) }}
{{- end -}}

{{- define "holdfast.egressOtlp" -}}
{{- $url := urlParse .Values.traces.otlp -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "https" | ternary "443" "80") -}}
{{ include "holdfast.egressRule" (dict "ports" (list $port) "to" .Values.networkPolicy.egress.otlp) }}
{{- end -}}

{{/* The components that call this one. */}}
{{- define "holdfast.callers" -}}
{{- $callers := list -}}
{{- range $name, $component := .root.Values.components -}}
{{- if has $.name $component.peers -}}
{{- $callers = append $callers $name -}}
{{- end -}}
{{- end -}}
{{- $callers | sortAlpha | join "," -}}
{{- end -}}
