import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { helm, withoutTools } from '../workbench.suite.ts';
import { seesApiVersions } from './sees-api-versions.ts';

const root = mkdtempSync(join(tmpdir(), 'tiphys-capabilities-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Every way to the versions that the language has. */
const leaks: readonly string[] = [
  '{{ .Capabilities.APIVersions | toJson }}',
  '{{ .Capabilities.APIVersions.Has "example.com/v1" }}',
  '{{- with .Capabilities }}{{ .APIVersions | toJson }}{{ end }}',
  '{{ $c := .Capabilities }}{{ $c.APIVersions | toJson }}',
  '{{ range .Values.list }}{{ $.Capabilities.APIVersions | toJson }}{{ end }}',
  '{{ . | toJson }}',
  '{{ toJson . }}',
  '{{ toJson $ }}',
  '{{ (.).Capabilities.APIVersions | toJson }}',
  '{{ toJson (.) }}',
  '{{ $x := . }}{{ toJson $x }}',
  '{{ $x := "" }}{{ $x = $ }}{{ toJson $x }}',
  '{{ range $k, $v := . }}{{ $k }}{{ toJson $v }}{{ end }}',
  '{{ range . }}{{ toJson . }}{{ end }}',
  '{{ with . }}{{ toJson . }}{{ end }}',
  '{{ with $ }}{{ toJson .Capabilities }}{{ end }}',
  '{{ index . (printf "%s%s" "Capa" "bilities") | toJson }}',
  '{{ get $ (b64dec "Q2FwYWJpbGl0aWVz") | toJson }}',
  '{{ dig (printf "%s%s" "Capa" "bilities") "" (.AsMap) | toJson }}',
  '{{ toJson .AsMap }}',
  '{{ .YAML }}',
  '{{ $.AsMap | toJson }}',
  '{{ tpl (printf "{{ .%s%s | toJson }}" "Capa" "bilities") . }}',
  '{{ tpl .Values.text $ }}',
  '{{ define "a" }}{{ toJson . }}{{ end }}{{ include "a" . }}',
  '{{ define "a" }}{{ toJson .context }}{{ end }}{{ include "a" (dict "context" $) }}',
  '{{ define "a" }}{{ toJson .Values }}{{ end }}{{ include "a" (dict "Values" .) }}',
  '{{ define "a" }}{{ toJson $ }}{{ end }}{{ template "a" . }}',
  '{{ block "a" . }}{{ toJson . }}{{ end }}',
  '{{ with .Values.none }}{{ else }}{{ toJson . }}{{ end }}',
  '{{ range .Values.none }}{{ else }}{{ toJson . }}{{ end }}',
  '{{ with .Values.none }}{{ else with $ }}{{ toJson . }}{{ end }}',
  '{{ range .Values.list }}{{ if true }}{{ else }}{{ toJson $ }}{{ end }}{{ end }}',
  '{{ range .Values.list }}{{ with $ }}{{ toJson . }}{{ end }}{{ end }}',
  '{{ list . | first | toJson }}',
  '{{ merge (dict) . | toJson }}',
  '{{ . | include "a" }}{{ define "a" }}{{ toJson . }}{{ end }}',
  '{{ if true }}{{ toJson . }}{{ end }}',
  '{{- /* a comment */ -}}{{ toJson . }}',
  '{{ "}}" }}{{ toJson . }}',
  '{{ `}}` }}{{ toJson . }}',
  '{{ "\\"}}" }}{{ toJson . }}',
  '{{ printf "%c" \'}\' }}{{ toJson . }}',
  '{{ if eq 1 1 -}} {{ toJson . }} {{- end }}',
  '{{ $x := dict }}{{ $_ := set $x "a" . }}{{ toJson $x }}',
  '{{ include "a" (list . 1) }}{{ define "a" }}{{ toJson . }}{{ end }}',
  '{{ ternary . 1 true | toJson }}',
  '{{ default . .Values.none | toJson }}',
  '{{ .Values.none | default . | toJson }}',
  '{{ coalesce .Values.none $ | toJson }}',
  '{{ pick . "Capabilities" | toJson }}',
  '{{ values . | toJson }}',
];

/** What charts commonly do without a look at the versions. */
const innocent: readonly string[] = [
  'plain: text',
  '{{ .Values.a }} {{ .Release.Name | quote }} {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}',
  '{{- with .Values.list }}\n{{- toYaml . | nindent 2 }}\n{{- end }}',
  '{{ range .Values.list }}{{ . }}{{ $.Release.Name }}{{ include "a" $ }}{{ end }}{{ define "a" }}{{ .Release.Name }}{{ end }}',
  '{{- $name := include "a" . -}}{{ $name }}{{ define "a" }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ end }}',
  '{{ range $k, $v := .Values.map }}{{ $k }}: {{ $v | quote }}{{ end }}',
  '{{ if and .Values.a (not .Values.none) }}{{ .Values.a }}{{ else if eq .Values.a 2 }}two{{ else }}three{{ end }}',
  '{{ if semverCompare ">=1.19-0" .Capabilities.KubeVersion.GitVersion }}new{{ else }}old{{ end }}',
  '{{ template "a" . }}{{ define "a" }}{{ toYaml .Values }}{{ end }}',
  '{{ with .Values.map }}{{ .x }}{{ with .y }}{{ . }}{{ end }}{{ else }}{{ .Release.Name }}{{ end }}',
  '{{ define "a" }}{{ .name }}{{ end }}{{ include "a" (dict "name" .Values.a) }}',
  '{{ .Files.Get "file.txt" | quote }}{{ (.Files.Glob "*.txt").AsConfig }}',
  '{{- /* about {{ .Capabilities.APIVersions }} */ -}}x',
  '{{ include (printf "%s" "a") . | sha256sum }}{{ define "a" }}{{ .Values.a }}{{ end }}',
  '{{ (index .Values.list 0) }}{{ (first .Values.list) | quote }}',
  '{{ range until 3 }}{{ . }}{{ end }}{{ $x := 1.5 }}{{ $x }}',
];

const renderWith = (template: string, apiVersions: readonly string[]): string => {
  const folder = join(root, 'chart');
  mkdirSync(join(folder, 'templates'), { recursive: true });
  writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: chart\nversion: 0.1.0\n');
  writeFileSync(
    join(folder, 'values.yaml'),
    'a: 1\nlist: [1, 2]\nmap: {x: 1, y: 2}\ntext: "{{ .Capabilities.APIVersions | toJson }}"\n',
  );
  writeFileSync(join(folder, 'file.txt'), 'text');
  // As a comment the output may be any text.
  writeFileSync(join(folder, 'templates/x.txt'), template.replaceAll('\n', ''));
  writeFileSync(join(folder, 'templates/x.yaml'), `a: {{ include "chart/templates/x.txt" . | quote }}\n`);
  const args = ['template', folder, ...apiVersions.map((version) => `--api-versions=${version}`)];
  try {
    return execFileSync(helm, args, { env: { HOME: root }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return `failed: ${String((error as { stderr?: unknown }).stderr)}`;
  }
};

describe('whether a template sees the API versions', () => {
  for (const template of leaks) test(`it may: ${template}`, () => assert.equal(seesApiVersions(template), true));
  for (const template of innocent)
    test(`it does not: ${template}`, () => assert.equal(seesApiVersions(template), false));

  test('what cannot be read counts as one that does', () => {
    for (const template of [
      '{{ .Values.a',
      '{{ if .Values.a }}',
      '{{ end }}',
      '{{ .Values.a ~ }}',
      '{{/* open',
      '{{ (.Values.a }}',
    ])
      assert.equal(seesApiVersions(template), true, template);
  });

  test('Helm agrees: those that do not see them render the same whatever they are', { skip: withoutTools }, () => {
    const differs = (template: string): boolean =>
      renderWith(template, []) !== renderWith(template, ['example.com/v1']);
    for (const template of innocent) assert.equal(differs(template), false, template);
    // And the others are worth looking for.
    assert.ok(leaks.filter(differs).length > leaks.length / 2);
  });
});
