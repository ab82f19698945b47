import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import type tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { loadCredentials } from '../identity/credentials.ts';
import { loadTrustAnchors } from '../identity/trust.ts';
import { Deadline } from '../net/deadline.ts';
import { acceptInnerTls, handshakeByte } from './inner-tls.ts';
import { secure } from './secure.ts';
import { serverOptions } from './tls.ts';

const certs = certificates();
const options = serverOptions(
  loadCredentials({ cert: certs.egress.cert, key: certs.egress.key, role: 'egress' }),
  loadTrustAnchors(certs.ca),
);

function shake(to: Duplex): Promise<tls.TLSSocket> {
  const { cert, key } = certs.client('alice');
  const { certPem, keyPem } = loadCredentials({ cert, key, role: 'client' });
  return secure({
    peer: 'the egress',
    to,
    serverName: '127.0.0.1',
    tls: {
      cert: certPem,
      key: keyPem,
      ca: [...loadTrustAnchors(certs.ca).pem],
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['adit/1'],
    },
    deadline: new Deadline(30_000),
    signal: new AbortController().signal,
  });
}

test('a handshake inside a duplex proves both ends, begins with its byte, and both die together', async () => {
  const [near, far] = duplexPair();
  const first = new Promise<number>((resolve) => {
    const { write } = far;
    far.write = ((chunk: Buffer, encoding: BufferEncoding, done: () => void) => {
      resolve(chunk[0]!);
      return write.call(far, chunk, encoding, done);
    }) as typeof far.write;
  });
  const [server, client] = await Promise.all([acceptInnerTls(near, options, 5_000), shake(far)]);
  expect([await first, server.authorized, client.authorized, server.getProtocol(), server.alpnProtocol]).toEqual([
    handshakeByte,
    true,
    true,
    'TLSv1.3',
    'adit/1',
  ]);
  server.resume().destroy();
  if (!near.destroyed) await once(near, 'close');
});

test('what is no TLS, what ends, and what says nothing is an error in time', async () => {
  for (const act of [
    (far: Duplex) => far.write('GET / HTTP/1.1\r\n\r\n'),
    (far: Duplex) => far.end(),
    (far: Duplex) => far.destroy(),
  ]) {
    const [near, far] = duplexPair();
    far.on('error', () => {
      /* it is cut */
    });
    const accepting = acceptInnerTls(near, options, 5_000);
    act(far);
    await expect(accepting).rejects.toMatchObject({ code: 'LINK_LOST' });
    expect(near.destroyed).toBe(true);
  }
  const [near] = duplexPair();
  await expect(acceptInnerTls(near, options, 50)).rejects.toMatchObject({ code: 'LINK_TIMEOUT' });
});
