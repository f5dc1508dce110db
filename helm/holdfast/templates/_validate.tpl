{{/* What the schema cannot say: values that contradict each other stop the install. */}}
{{- define "holdfast.validate" -}}
{{- $values := .Values -}}
{{- if and $values.monitoring.serviceMonitor.enabled $values.networkPolicy.enabled (not $values.networkPolicy.ingress.monitoring) -}}
{{- fail "monitoring.serviceMonitor is enabled, but networkPolicy.ingress.monitoring lets nobody scrape" -}}
{{- end -}}
{{- if and $values.grpcRoute.enabled $values.tls.enabled -}}
{{- fail "grpcRoute cannot pass on calls to services that want their caller's certificate: not together with tls.enabled" -}}
{{- end -}}
{{- range $name := keys $values.components -}}
{{- $component := include "holdfast.component" (dict "root" $ "name" $name) | fromYaml -}}
{{- $replicas := int ($component.autoscaling.enabled | ternary $component.autoscaling.minReplicas $component.replicas) -}}
{{- if and $component.podDisruptionBudget.enabled (lt $replicas 2) -}}
{{- fail (printf "components.%s: a podDisruptionBudget of one replica would block every node's drain" $name) -}}
{{- end -}}
{{- if and $component.autoscaling.enabled (gt (int $component.autoscaling.minReplicas) (int $component.autoscaling.maxReplicas)) -}}
{{- fail (printf "components.%s: autoscaling.minReplicas is more than maxReplicas" $name) -}}
{{- end -}}
{{- range $component.peers -}}
{{- if not (hasKey $values.components .) -}}
{{- fail (printf "components.%s: there is no component %s to be its peer" $name .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
