import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { resolveStdioOptions, stdioFlags } from './options.ts';

const flags = { egress: ['tunnel.example.org:8443'], cert: ['alice.crt'], key: ['alice.key'], ca: ['ca.crt'] };

test('a session of its own has the options of an ingress, and logs errors only', () => {
  const options = resolveStdioOptions('db.internal:22', { flags, environment: {} });
  expect(options).toMatchObject({
    destination: { kind: 'host', host: 'db.internal', port: 22 },
    logLevel: 'error',
    logFormat: 'auto',
  });
  expect(options).not.toHaveProperty('controlSocket');
  expect(options.session()).toMatchObject({
    egress: [{ host: 'tunnel.example.org' }],
    cert: 'alice.crt',
    connectTimeoutMs: 10_000,
  });
});

test('the egress may be asked to speak TLS', () => {
  expect(resolveStdioOptions('tls://db.internal:443', { flags, environment: {} }).destination).toEqual({
    kind: 'host',
    host: 'db.internal',
    port: 443,
    tls: true,
  });
});

test('without a control socket the options of a session are required', () => {
  for (const field of Object.keys(flags))
    expect(() => resolveStdioOptions('web', { flags: { ...flags, [field]: undefined }, environment: {} })).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(`--${field} is required`) }),
    );
  expect(() => resolveStdioOptions('web', { flags: { controlSocket: ['none'] }, environment: {} })).toThrow(
    expect.objectContaining({ code: 'USAGE' }),
  );
});

test('with a control socket they may be missing, until a session of its own is needed', () => {
  const options = resolveStdioOptions('web', {
    flags: {},
    environment: { ADIT_CONTROL_SOCKET: '/run/user/1000/adit.sock' },
  });
  expect(options).toMatchObject({
    destination: { kind: 'service', service: 'web' },
    controlSocket: '/run/user/1000/adit.sock',
  });
  expect(options.session).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('the file of an ingress can be used as it is, with its listeners', () => {
  const folder = temporaryFolder();
  const config = join(folder, 'adit.yaml');
  writeFileSync(
    config,
    'egress: tunnel.example.org:8443\ncert: alice.crt\nkey: alice.key\nca: ca.crt\nforward: 8080:web\n' +
      'socks: "1080"\ncontrol-socket: control\n',
  );
  const options = resolveStdioOptions('web', { flags: { config: [config] }, environment: {} });
  expect(options.controlSocket).toBe(join(folder, 'control'));
  expect(options.session().cert).toBe(join(folder, 'alice.crt'));
  expect(
    resolveStdioOptions('web', { flags: { config: [config], controlSocket: ['none'] }, environment: {} }),
  ).not.toHaveProperty('controlSocket');
  writeFileSync(config, 'egress: tunnel.example.org:8443\nforward: nonsense\n');
  expect(() =>
    resolveStdioOptions('web', { flags: { config: [config], controlSocket: ['c'] }, environment: {} }),
  ).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test.each([
  ['nope:', /^the destination "nope:": .*; write HOST:PORT/],
  ['', /destination/],
  ['db:0', /the port/],
])('%j is refused as a destination', (text, message) => {
  expect(() => resolveStdioOptions(text, { flags, environment: {} })).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) }),
  );
});

test('no flag concerns a listener', () => {
  const names = Object.values(stdioFlags).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['egress', 'cert', 'key', 'ca', 'control-socket', 'proxy', 'log-level']),
  );
  for (const name of ['forward', 'socks', 'http-proxy', 'mixed', 'check', 'drain-timeout'])
    expect(names).not.toContain(name);
});
