import { describe, expect, it } from 'vitest';
import { negotiateApiVersion } from '../../../src/docker/engine/api-version.ts';
import { describeDockerHost, parseDockerHost } from '../../../src/docker/engine/docker-host.ts';

describe('a Docker host', () => {
  it.each([
    ['unix:///var/run/docker.sock', { socketPath: '/var/run/docker.sock' }, '/var/run/docker.sock'],
    ['tcp://proxy:2375', { protocol: 'http', host: 'proxy', port: 2375 }, 'http://proxy:2375'],
    ['tcp://proxy', { protocol: 'http', host: 'proxy', port: 2375 }, 'http://proxy:2375'],
    ['tcp://proxy:2376', { protocol: 'https', host: 'proxy', port: 2376 }, 'https://proxy:2376'],
    ['tcp://[::1]:2375', { protocol: 'http', host: '[::1]', port: 2375 }, 'http://[::1]:2375'],
    ['http://192.0.2.1:80', { protocol: 'http', host: '192.0.2.1', port: 80 }, 'http://192.0.2.1:80'],
    [
      'https://docker.example/',
      { protocol: 'https', host: 'docker.example', port: 443 },
      'https://docker.example:443',
    ],
  ])('%s is read', (text, parsed, described) => {
    expect(parseDockerHost(text)).toEqual(parsed);
    expect(describeDockerHost(parseDockerHost(text))).toBe(described);
  });

  it.each([
    '',
    '/var/run/docker.sock',
    'unix://docker.sock',
    'ssh://me@host',
    'tcp://',
    'tcp://host:99999',
    'tcp://host/path',
  ])('%j is refused with the fix', (text) => {
    expect(() => parseDockerHost(text)).toThrow(
      expect.objectContaining({ code: 'docker-host', fix: expect.stringContaining('unix:///') }),
    );
  });
});

describe('the API version', () => {
  it.each([
    ['1.41', '1.12', '1.41'],
    ['1.47', '1.24', '1.47'],
    ['1.52', '1.44', '1.52'],
    ['1.60', '1.44', '1.52'],
    ['1.99', '1.60', '1.60'],
    ['1.41', undefined, '1.41'],
    ['1.9', undefined, '1.9'],
    ['2.0', '1.44', '1.52'],
  ])('of an engine that speaks up to %s and down to %s is %s', (ApiVersion, MinAPIVersion, spoken) => {
    expect(negotiateApiVersion({ Version: '', ApiVersion, MinAPIVersion })).toBe(spoken);
  });
});
