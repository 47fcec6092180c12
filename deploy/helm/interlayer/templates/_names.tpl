{{- define "interlayer.name" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "interlayer.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "interlayer.labels" -}}
{{ include "interlayer.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "interlayer.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "interlayer.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "interlayer.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "interlayer.store" -}}
{{- $query := list -}}
{{- with .Values.store.region }}{{ $query = append $query (printf "region=%s" .) }}{{ end -}}
{{- with .Values.store.endpoint }}{{ $query = append $query (printf "endpoint_url=%s" .) }}{{ end -}}
dynamodb://{{ .Values.store.tables }}{{ if $query }}?{{ join "&" $query }}{{ end }}
{{- end -}}

{{- /* What the server has to reach: ports given, and those of the endpoints given. */ -}}
{{- define "interlayer.ports" -}}
{{- $ports := list -}}
{{- range .Values.networkPolicy.egressPorts }}{{ $ports = append $ports (toString .) }}{{ end -}}
{{- range list .Values.store.endpoint .Values.vectors.endpoint .Values.modelApiBase -}}
{{- if . -}}
{{- $address := urlParse . -}}
{{- $ports = append $ports (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $address.host) | default (ternary "443" "80" (eq $address.scheme "https"))) -}}
{{- end -}}
{{- end -}}
{{- join "," (uniq $ports) -}}
{{- end -}}
