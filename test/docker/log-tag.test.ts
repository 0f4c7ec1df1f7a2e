import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containerTag } from '../../src/docker/log-tag.ts';

const id = '0123456789abcdef'.repeat(4);

/** @param driver of a container whose logging has that template */
function tag(template: string | undefined, driver = 'syslog'): string | undefined {
  return containerTag({
    Id: id,
    Name: '/My_proxy-1',
    Image: `sha256:${'ab'.repeat(32)}`,
    Path: 'nginx',
    Args: ['-g', 'daemon off;'],
    Config: { Image: 'registry.example/nginx:1.27', Labels: {} },
    HostConfig: { LogConfig: { Type: driver, Config: template === undefined ? {} : { tag: template } } },
  });
}

describe('a log tag', () => {
  it.each([
    ['nginx-proxy', 'nginx-proxy'],
    ['', id.slice(0, 12)],
    ['{{.ID}}', id.slice(0, 12)],
    ['{{.FullID}}', id],
    ['{{.Name}}', 'My_proxy-1'],
    ['{{ .Name }}', 'My_proxy-1'],
    ['{{\t.Name\n}}', 'My_proxy-1'],
    ['{{.ImageName}}', 'registry.example/nginx:1.27'],
    ['{{.ImageFullID}}', `sha256:${'ab'.repeat(32)}`],
    ['{{.DaemonName}}', 'docker'],
    ['{{.DaemonName}}/{{.Name}}/{{.ID}}', `docker/My_proxy-1/${id.slice(0, 12)}`],
    ['{{.Command}}', 'nginx -g daemon off;'],
    ['{{.ContainerName}}', '/My_proxy-1'],
    ['{{lower .Name}}', 'my_proxy-1'],
    ['{{.Name | upper}}', 'MY_PROXY-1'],
    ['{{.Name|lower|upper}}', 'MY_PROXY-1'],
    ['{{truncate .Name 5}}', 'My_pr'],
    ['{{truncate .Name 50}}', 'My_proxy-1'],
    ['{{pad .Name 1 2}}', ' My_proxy-1  '],
    ['{{"a\\"b"}}', 'a"b'],
    ['{{`raw`}}', 'raw'],
    ['a {{- .Name -}} b', 'aMy_proxy-1b'],
    ['a{{/* why */}}b', 'ab'],
    ['}}', '}}'],
  ])('%j is rendered as %j', (template, rendered) => {
    expect(tag(template)).toBe(rendered);
  });

  it.each([
    '{{.Nothing}}',
    '{{.name}}',
    '{{.ImageID}}',
    '{{.Name',
    '{{}}',
    '{{if .Name}}x{{end}}',
    '{{printf "%s" .Name}}',
    '{{index .ContainerLabels "x"}}',
    '{{.Name .ID}}',
    '{{lower}}',
    '{{lower .Name .ID}}',
    '{{truncate .Name}}',
    '{{.Name | truncate 5}}',
    '{{pad .Name 999999999 999999999}}',
    '{{.constructor}}',
    '{{.__proto__}}',
    '{{.Name | }}',
    '{{| .Name}}',
  ])('%j is one that cannot be rendered', (template) => {
    expect(tag(template)).toBeUndefined();
  });

  it.each([
    ['journald', id.slice(0, 12)],
    ['fluentd', id.slice(0, 12)],
    ['gelf', id.slice(0, 12)],
    ['splunk', id.slice(0, 12)],
    ['awslogs', id],
    ['json-file', undefined],
    ['local', undefined],
    ['gcplogs', undefined],
    ['none', undefined],
    ['constructor', undefined],
    ['', undefined],
  ])('of the driver %j is %j by default', (driver, expected) => {
    expect(tag(undefined, driver)).toBe(expected);
  });

  it('without actions is the text itself', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('{{')),
        (text) => {
          expect(tag(text)).toBe(text);
        },
      ),
    );
  });

  it('never throws, nor takes long, whatever the template', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '{{',
        '}}',
        '.Name',
        '|',
        ' ',
        '"',
        '`',
        'lower',
        'truncate',
        '12',
        '{{- ',
        ' -}}',
        '/*',
        '*/',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const rendered = tag(pieces.join(''));
        return rendered === undefined || typeof rendered === 'string';
      }),
    );
    const begun = performance.now();
    for (const length of [990, 1_000_000]) {
      tag(`{{${' '.repeat(length)}`);
      tag('{{"'.repeat(length / 3));
      tag(`{{"${'\\"'.repeat(length / 2.1)}}}`);
    }
    expect(performance.now() - begun).toBeLessThan(200);
  });
});
