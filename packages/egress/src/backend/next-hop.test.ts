import { chmodSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Deadline } from '@adit/shared/net/deadline';
import { testEgress } from '../../../../test/support/in-process.ts';
import { certificates } from '../../../../test/support/certificates.ts';
import { atEnd, temporaryFolder, within } from '../../../../test/support/scope.ts';
import { chunkFrom, closedPort, echo } from '../../../../test/support/services.ts';
import { smallProxy } from '../../../../test/support/small-proxy.ts';
import { vanishingProxy } from '../../../../test/support/vanishing-proxy.ts';
import { read } from '../policy/shape.ts';
import { via, type Via } from '../policy/via.ts';
import { askNextHop, hopFilesOf, loadNextHop, type AskHopOptions, type NextHop } from './next-hop.ts';

const viaOf = (raw: unknown): Via => read(via, raw).value!;
const hopOf = (raw: unknown, folder = '/nowhere'): NextHop => loadNextHop(viaOf(raw), folder);
const ask = async (
  hop: NextHop,
  { target = { host: 'web.internal', port: 80 }, ...more }: Partial<AskHopOptions> = {},
) => {
  const local = await askNextHop(hop, { target, deadline: new Deadline(20_000), via: '1.1 adit-1', ...more });
  atEnd(() => {
    local.socket.destroy();
  });
  local.socket.resume(); // as the relay does; bytes that came early arrive in the same turn
  return local;
};

describe('a proxy', () => {
  test('is asked by CONNECT for the name, with our pseudonym, and its first bytes arrive', async () => {
    const proxy = await smallProxy({ answers: ['HTTP/1.1 200 OK\r\n\r\nhello'] });
    const { socket } = await ask(hopOf(`http://127.0.0.1:${proxy.port}`));
    expect(String(await chunkFrom(socket))).toBe('hello');
    expect(proxy.asked).toEqual([
      expect.stringMatching(/^CONNECT web\.internal:80 HTTP\/1\.1\r\n(?:.+\r\n)*Via: 1\.1 adit-1\r\n/),
    ]);
  });

  test('of SOCKS5 is asked for the name', async () => {
    const proxy = await smallProxy({ answers: ['\x05\x00', '\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00'] });
    await ask(hopOf(`socks5://127.0.0.1:${proxy.port}`));
    expect(proxy.asked[1]).toBe('\x05\x01\x00\x03\x0cweb.internal\x00\x50');
  });

  test.each([
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'HOST_UNREACHABLE', 'web cannot be reached from the egress.'],
    [
      'HTTP/1.1 403 Forbidden\r\n\r\n',
      'VIA_FAILED',
      'web cannot be reached: the proxy that the egress goes through cannot be used.',
    ],
    [
      'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n',
      'VIA_FAILED',
      'web cannot be reached: the proxy that the egress goes through cannot be used.',
    ],
    ['nonsense', 'VIA_FAILED', 'web cannot be reached: the proxy that the egress goes through cannot be used.'],
  ])('that answers %j gives the client a code, and its name only to the log', async (answer, code, message) => {
    const proxy = await smallProxy({ answers: [answer], end: true });
    const name = `http://127.0.0.1:${proxy.port}`;
    await expect(ask(hopOf(name), { target: { host: 'web.internal', port: 80, called: 'web' } })).rejects.toMatchObject(
      { code, message, cause: { message: expect.stringMatching(new RegExp(`^${name}: `)) } },
    );
  });

  test('that does not listen, is late, or is given up has a code for each', async () => {
    await expect(ask(hopOf(`http://127.0.0.1:${await closedPort()}`))).rejects.toMatchObject({ code: 'VIA_FAILED' });
    const silent = await smallProxy({ answers: ['HTTP/1.1 100 Continue\r\n\r\n'] });
    await expect(ask(hopOf(`http://127.0.0.1:${silent.port}`), { deadline: new Deadline(50) })).rejects.toMatchObject({
      code: 'VIA_FAILED',
    });
    await expect(ask(hopOf(`http://127.0.0.1:${silent.port}`), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'PEER_GONE',
      by: 'us',
    });
  });

  test('with a password is read from a file that others cannot read', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'proxy.url');
    const proxy = await smallProxy({ answers: ['HTTP/1.1 200 OK\r\n\r\n'] });
    writeFileSync(file, `http://alice:s3cret@127.0.0.1:${proxy.port}\n`, { mode: 0o600 });
    await ask(hopOf({ file: 'proxy.url' }, folder));
    expect(proxy.asked[0]).toContain(`Proxy-Authorization: Basic ${btoa('alice:s3cret')}\r\n`);
    const { ca } = certificates();
    expect(() => hopOf({ file, ca }, folder)).toThrow(
      /names "ca" or "cert" for the proxy of .*, which is http:\/\/ and has no TLS/,
    );
    chmodSync(file, 0o644);
    expect(() => hopOf({ file }, folder)).toThrow(/has mode 0644, so others may use it/);
    for (const [text, reason] of [
      ['http://alice:s3cret@p:1\nmore\n', 'it holds more than one line'],
      ['ftp://alice:s3cret@p:1', 'ftp is not the scheme of a proxy'],
    ] as const) {
      writeFileSync(file, text);
      chmodSync(file, 0o600);
      expect(() => hopOf({ file }, folder)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(reason) }),
      );
      expect(() => hopOf({ file }, folder)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
      );
    }
  });
});

describe('another egress', () => {
  test('that is killed has not ended in order', async () => {
    const certs = certificates();
    const { cert, key } = certs.client('hop');
    const { port } = await vanishingProxy(certs);
    const { socket, peerEnd } = await ask(hopOf({ url: `connect://127.0.0.1:${port}`, ca: certs.ca, cert, key }));
    await within(15_000, 'the end', once(socket, 'end'));
    expect(peerEnd).toMatchObject({ inOrder: false });
  });

  test('is asked inside mutual TLS, with our pseudonym, and its refusal keeps its code', async () => {
    const { at, port } = await echo();
    const egress = await testEgress({
      policy: `version: 1\nrules: [{ name: hop, identities: [hop], allow: ["${at}"] }]\n`,
    });
    const { cert, key } = egress.certs.client('hop');
    const hop = hopOf({ url: `connect://127.0.0.1:${egress.port}`, ca: egress.certs.ca, cert, key });
    const { socket } = await ask(hop, { target: { host: '127.0.0.1', port } });
    socket.write('through');
    expect(String(await chunkFrom(socket))).toBe('through');
    await expect(ask(hop)).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      by: 'next-hop',
      message: 'web.internal:80 is not allowed by the next egress.',
      cause: { message: expect.stringMatching(/^connect:\/\/.* 403: /) },
    });
    await expect(
      ask(hop, { via: Array.from({ length: 9 }, (_, at) => `1.1 hop-${at}`).join(', ') }),
    ).rejects.toMatchObject({ code: 'VIA_LOOP' });
    const stranger = egress.certs.client('stranger');
    await expect(
      ask(
        hopOf({
          url: `connect://127.0.0.1:${egress.port}`,
          ca: egress.certs.ca,
          cert: stranger.cert,
          key: stranger.key,
        }),
      ),
    ).rejects.toMatchObject({ code: 'VIA_FAILED', cause: { message: expect.stringContaining('no rule names') } });
    socket.destroy();
    await once(socket, 'close');
  });

  test('that has a certificate of another CA, or for another name, is not asked', async () => {
    const egress = await testEgress();
    const other = certificates();
    const { cert, key } = egress.certs.client('hop');
    const url = `connect://127.0.0.1:${egress.port}`;
    for (const raw of [
      { url, ca: other.ca, cert, key },
      { url, ca: egress.certs.ca, cert, key, 'server-name': 'other.example' },
    ])
      await expect(ask(hopOf(raw))).rejects.toMatchObject({ code: 'VIA_FAILED' });
    expect(egress.records).toEqual([]);
  });

  test('names its files, with paths relative to the folder of the policy', () => {
    const raw = { url: 'connect://e:1', ca: 'ca.pem', cert: '/abs/c.pem', key: 'k.pem' };
    expect(hopFilesOf(viaOf(raw), '/etc/adit')).toEqual(['/etc/adit/ca.pem', '/abs/c.pem', '/etc/adit/k.pem']);
    expect(hopFilesOf(viaOf({ file: 'p' }), '/etc/adit')).toEqual(['/etc/adit/p']);
    expect(() => hopOf(raw)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
