{{/* The `restricted` pod security standard and a little more, for every pod. No value turns it off. */}}
{{- define "holdfast.podSecurity" -}}
automountServiceAccountToken: false
# The variables it makes begin with HOLDFAST_ in a release of that name, where unknown ones are refused.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "holdfast.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* A URL of a database from a Secret. Takes (dict "root" $ "secret" name). */}}
{{- define "holdfast.databaseEnv" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .root.Values.database.key }}
{{- end -}}
