{{/* What a component's binary is told. Takes (dict "root" $ "name" name "component" values). */}}
{{- define "holdfast.env" -}}
{{- $values := .root.Values -}}
- name: {{ printf "HOLDFAST_%s" (upper .component.protocol) }}
  value: {{ printf "%s:%v" $values.listenAddress (int .component.port) | quote }}
- name: HOLDFAST_ADMIN
  value: {{ printf "%s:%v" $values.listenAddress (include "holdfast.adminPort" .root) | quote }}
{{- range .component.peers }}
- name: {{ printf "HOLDFAST_%s" (upper .) }}
  value: {{ include "holdfast.peerAddress" (dict "root" $.root "name" .) | quote }}
{{- end }}
{{- if .component.database }}
{{ include "holdfast.databaseEnv" (dict "root" .root "secret" $values.database.existingSecret) }}
{{- end }}
{{- if and .component.bus (ne $values.bus "postgres") }}
- name: HOLDFAST_BUS
  value: {{ $values.bus | quote }}
{{- end }}
- name: HOLDFAST_DRAIN_DELAY_MS
  value: {{ int64 $values.drain.delayMs | quote }}
- name: HOLDFAST_DRAIN_GRACE_MS
  value: {{ int64 $values.drain.graceMs | quote }}
- name: HOLDFAST_LOG
  value: {{ $values.log.level | quote }}
- name: HOLDFAST_LOG_FORMAT
  value: {{ $values.log.format | quote }}
{{- if $values.traces.otlp }}
- name: HOLDFAST_OTLP
  value: {{ $values.traces.otlp | quote }}
- name: HOLDFAST_TRACE_RATIO
  value: {{ $values.traces.ratio | quote }}
{{- end }}
{{- if $values.tls.enabled }}
- name: HOLDFAST_TLS_CERT
  value: {{ include "holdfast.tlsFolder" . }}/tls.crt
- name: HOLDFAST_TLS_KEY
  value: {{ include "holdfast.tlsFolder" . }}/tls.key
- name: HOLDFAST_TLS_CA
  value: {{ include "holdfast.tlsFolder" . }}/ca.crt
- name: HOLDFAST_TRUST_DOMAIN
  value: {{ $values.tls.trustDomain | quote }}
{{- end }}
{{- range $name, $value := .component.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "holdfast.adminPort" -}}9090{{- end -}}

{{- define "holdfast.tlsFolder" -}}/etc/holdfast/tls{{- end -}}

{{/* Where a component is called: every pod by name, or the one address of its service. */}}
{{- define "holdfast.peerAddress" -}}
{{- $port := int (get .root.Values.components .name).port -}}
{{- if eq .root.Values.discovery "headless" -}}
dns:///{{ include "holdfast.name" . }}-headless.{{ .root.Release.Namespace }}.svc:{{ $port }}
{{- else -}}
{{ .root.Values.tls.enabled | ternary "https" "http" }}://{{ include "holdfast.name" . }}.{{ .root.Release.Namespace }}.svc:{{ $port }}
{{- end -}}
{{- end -}}

{{/* How long a pod may take to end: the drain delay, the grace for calls, and the margin, in whole seconds. */}}
{{- define "holdfast.terminationSeconds" -}}
{{- $drain := .Values.drain -}}
{{- add (divf (add (int64 $drain.delayMs) (int64 $drain.graceMs)) 1000 | ceil) (int $drain.marginSeconds) -}}
{{- end -}}
