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
{{- if .Values.mattermost.replicas }}{{ .Values.mattermost.replicas }}{{ else if or (include "licensed" .) .Values.mattermost.severalWithoutLicense }}{{ $row.app.replicas }}{{ else }}1{{ end }}
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

{{/* The agents' image, whole or by its parts. */}}
{{- define "agentImage" -}}
{{- if .Values.agent.image.reference }}{{ .Values.agent.image.reference }}{{ else }}{{ printf "%s:%s" .Values.agent.image.repository .Values.agent.image.tag }}{{ end }}
{{- end }}

{{/* A Service's type, and its port of the nodes: (dict "given" .Values.x.service) within a port's list entry */}}
{{- define "nodePort" -}}
{{- if and (eq .given.type "NodePort") .given.nodePort }}nodePort: {{ .given.nodePort }}{{ end }}
{{- end }}

{{/* The pod of an agent: ltops makes a Job of it for each run, and says which secret `job` is and what is to be done. */}}
{{- define "agentPod" -}}
{{- $name := include "name" . }}
{{- $row := include "profile" . | fromYaml -}}
metadata:
  labels: {{- include "labels" (dict "root" . "part" "loadtest") | nindent 4 }}
spec:
  serviceAccountName: {{ $name }}-agent
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: OnFailure # a verdict is no failure; agent.sh says which is which
  terminationGracePeriodSeconds: 60
  securityContext: {{- include "podSecurity" (dict "user" 10001) | nindent 4 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "selector" (dict "root" . "part" "loadtest") | nindent 10 }}
  containers:
    - name: agent
      image: {{ include "agentImage" . }}
      imagePullPolicy: {{ .Values.agent.image.pullPolicy }}
      command: [sh, /scripts/agent.sh]
      workingDir: /work
      ports:
        - {name: metrics, containerPort: 9108}
      env:
        - {name: MMLOADTEST_RESULTSCONFIGURATION_METRICSADDRESS, value: "0.0.0.0:9108"}
        {{- if .Values.mattermost.enabled }}
        - {name: MMLOADTEST_CONNECTIONCONFIGURATION_DRIVERNAME, value: postgres}
        - name: MMLOADTEST_CONNECTIONCONFIGURATION_DATASOURCE
          valueFrom: {secretKeyRef: {name: {{ $name }}-database, key: dataSource}}
        {{- end }}
        - {name: HOME, value: /tmp}
      resources: {{- include "resources" (dict "given" .Values.agent.resources "row" $row.agents) | nindent 8 }}
      securityContext: {{- include "containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: work, mountPath: /work}
        - {name: tmp, mountPath: /tmp}
        - {name: scripts, mountPath: /scripts, readOnly: true}
        - {name: job, mountPath: /job, readOnly: true}
    - name: keeper # its files, until they are fetched
      image: {{ include "agentImage" . }}
      imagePullPolicy: {{ .Values.agent.image.pullPolicy }}
      command: [sh, /scripts/keeper.sh]
      args: [{{ .Values.agent.keepSeconds | int | quote }}]
      workingDir: /work
      resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 128Mi}}
      securityContext: {{- include "containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: work, mountPath: /work}
        - {name: scripts, mountPath: /scripts, readOnly: true}
  volumes:
    - {name: work, emptyDir: {}}
    - {name: tmp, emptyDir: {}}
    - name: scripts
      configMap: {name: {{ $name }}-agent}
    - name: job # ltops says which
      secret: {secretName: {{ $name }}-job, defaultMode: 0440}
{{- end }}
