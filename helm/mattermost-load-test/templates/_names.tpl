{{/* The name of everything of this release: NAME-app and so on. */}}
{{- define "name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end }}

{{/* Labels of a part: (dict "root" $ "part" "app") */}}
{{- define "labels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* The profile's row for as many users, as YAML. */}}
{{- define "profile" -}}
{{- $tables := .Files.Get "profiles.yaml" | fromYaml -}}
{{- $table := get $tables .Values.profile.name -}}
{{- if not $table }}{{ fail (printf "profile.name: there is no profile %q; there are: %s" .Values.profile.name (keys $tables | sortAlpha | join ", ")) }}{{ end -}}
{{- $found := dict -}}
{{- range $row := $table -}}
{{- if and (not $found) (le (int $.Values.profile.users) (int $row.users)) }}{{ $found = $row }}{{ end -}}
{{- end -}}
{{- if not $found }}{{ fail (printf "profile.users: no profile is for %d users" (int .Values.profile.users)) }}{{ end -}}
{{- toYaml $found -}}
{{- end }}

{{/* Resources of a part: what is given, else the profile's: (dict "root" $ "given" .Values.x.resources "row" $row.app) */}}
{{- define "resources" -}}
{{- if .given }}{{ toYaml .given }}{{ else -}}
requests: {cpu: {{ .row.cores | quote }}, memory: {{ .row.gib }}Gi}
limits: {memory: {{ .row.gib }}Gi}
{{- end }}
{{- end }}

{{- define "licensed" -}}
{{- if or .Values.mattermost.license.content .Values.mattermost.license.existingSecret }}true{{ end }}
{{- end }}

{{- define "appReplicas" -}}
{{- $row := include "profile" . | fromYaml -}}
{{- if .Values.mattermost.replicas }}{{ .Values.mattermost.replicas }}{{ else if include "licensed" . }}{{ $row.app.replicas }}{{ else }}1{{ end }}
{{- end }}

{{/* A secret's value that is made once: what the cluster has, else new. (dict "root" $ "name" SECRET "key" KEY) */}}
{{- define "kept" -}}
{{- $there := lookup "v1" "Secret" .root.Release.Namespace .name -}}
{{- if and $there (get ($there.data | default dict) .key) }}{{ get $there.data .key | b64dec }}{{ else }}{{ randAlphaNum 32 }}{{ end }}
{{- end }}

{{- define "siteUrl" -}}
{{- if .Values.mattermost.siteUrl }}{{ .Values.mattermost.siteUrl }}
{{- else if and .Values.ingress.enabled .Values.ingress.host }}http://{{ .Values.ingress.host }}
{{- else if .Values.proxy.enabled }}http://{{ include "name" . }}-proxy.{{ .Release.Namespace }}.svc
{{- else }}http://{{ include "name" . }}-app.{{ .Release.Namespace }}.svc:{{ .Values.mattermost.port }}
{{- end }}
{{- end }}

{{/* What every container may do: nothing but run. */}}
{{- define "containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
seccompProfile: {type: RuntimeDefault}
{{- end }}
