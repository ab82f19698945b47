import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { loadProxyUsers, localListeners, type LocalListener, type ProxyUsers } from './listeners.ts';

const listen = { kind: 'tcp', host: '127.0.0.1', port: 1080 } as const;
const none = {
  forwards: [],
  socks: [],
  httpProxy: [],
  mixed: [],
  sni: [],
  sniRoutes: [],
  tlsListen: [],
  tlsAlpn: [],
  transparent: [],
};

const noCertificates = (): never => {
  throw new Error('nobody asks for them');
};

test('every option that listens gets its listener, and says in the log what it is', () => {
  const listeners = localListeners(
    {
      ...none,
      forwards: [{ listen, destination: { kind: 'service', service: 'web' }, spec: '1080:web' }],
      socks: [
        { listen, spec: '1080' },
        { listen, spec: '1081' },
      ],
      controlSocket: './c',
    },
    { users: () => ({}), certificates: noCertificates },
  );
  expect(listeners.map(({ logged }) => logged)).toEqual([
    { forward: '1080:web' },
    { socks: '1080' },
    { socks: '1081' },
    { controlSocket: './c' },
  ]);
  expect(
    localListeners({ ...none, controlSocket: 'none' }, { users: () => ({}), certificates: noCertificates }),
  ).toEqual([]);
});

test(
  'who may use a proxy is who may when the client asks; whoever asked for passwords at the start never stops ' +
    'asking',
  async () => {
    let users: ProxyUsers = { socks: () => true };
    const [{ frontEnd }] = localListeners(
      { ...none, socks: [{ listen, spec: '1080' }] },
      { users: () => users, certificates: noCertificates },
    ) as [LocalListener];
    const asked = async (): Promise<object> => {
      const [duplex, client] = duplexPair();
      client.write(Buffer.from('\x05\x01\x02\x01\x01a\x01b\x05\x01\x00\x03\x01a\x00\x50', 'latin1'));
      return frontEnd.ask({ duplex });
    };
    expect(await asked()).toHaveProperty('destination');
    users = { socks: () => false };
    expect(await asked()).toHaveProperty('error');
    users = {};
    expect(await asked()).toHaveProperty('error');
  },
);

test('the files of users are read where they are named', () => {
  const path = join(temporaryFolder(), 'users');
  writeFileSync(path, 'alice:s3cret', { mode: 0o600 });
  expect(loadProxyUsers({})).toEqual({});
  expect(loadProxyUsers({ socksAuthFile: path }).socks?.('alice', 's3cret')).toBe(true);
  expect(loadProxyUsers({ httpProxyAuthFile: path }).http?.('alice', 'wrong')).toBe(false);
});
