import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { AditError } from '@adit/shared/errors';
import { BorrowedDuplex } from '@adit/shared/net/borrowed-duplex';
import { acceptPooled, type RelaySocket } from '@adit/shared/net/sockets';
import { expect, test } from '@jest/globals';
import { helloOf } from '../../../../test/support/client-hello.ts';
import { certificates } from '../../../../test/support/certificates.ts';
import { newServer } from '../../../../test/support/issuer.ts';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { client, service } from '../../../../test/support/services.ts';
import type { SecureAsk } from './contract.ts';
import { loadLocalPairs, localCertificates } from './local-certificates.ts';
import { tlsTermination } from './tls-termination.ts';

const files = certificates();
const pair = files.write('local', newServer(files.authority, { dns: ['web.example.com'] }));
const shown = localCertificates(loadLocalPairs([pair.cert], [pair.key]));
const destination = { kind: 'service', service: 'web' } as const;

interface Asked {
  readonly ask: SecureAsk;
  readonly local: RelaySocket;
  readonly client: Socket;
}

/** What becomes of a client that says `first`; the socket is its owner's again. */
async function asked(
  first: (socket: Socket) => void,
  { deadlineMs = 30_000, alpn = [] as readonly string[] } = {},
): Promise<Asked> {
  let accept: (socket: Socket) => void = () => {};
  const accepted = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const { port } = await service((socket) => accept(socket), { pauseOnConnect: true });
  const { socket } = await client(port);
  socket.on('error', () => {});
  first(socket);
  const local = acceptPooled(await accepted);
  const duplex = new BorrowedDuplex(local);
  const ask = await tlsTermination({ destination, certificates: () => shown, alpn, deadlineMs }).ask({ duplex });
  if ('error' in ask) throw ask.error;
  if (ask.carry !== 'secure') throw new Error(ask.carry);
  duplex.giveBack();
  return { ask, local, client: socket };
}

async function tlsAsked(
  options: ConnectionOptions = {},
  alpn: readonly string[] = [],
): Promise<Asked & { readonly secure: TLSSocket }> {
  let secure: TLSSocket | undefined;
  const outcome = await asked(
    (socket) => {
      secure = connect({ socket, ca: [files.authority.certPem], servername: 'web.example.com', ...options }).on(
        'error',
        () => {},
      );
      atEnd(() => {
        secure!.destroy();
      });
    },
    { alpn },
  );
  return { ...outcome, secure: secure! };
}

const hello = await helloOf('web.example.com');
const never = new AbortController().signal;

test('nothing is answered before it is asked to; then the client has TLS', async () => {
  const {
    ask,
    local,
    secure,
    client: { bytesRead },
  } = await tlsAsked();
  expect(ask).toMatchObject({ frontEnd: 'tls-termination', destination });
  expect(ask.refused({ code: 'POLICY_DENIED', reason: '' })[6]).toBe(49);
  expect(bytesRead).toBe(0);
  secure.write('hello');
  const { socket, reads } = await ask.secure(local, { signal: never });
  expect(reads).toBeUndefined();
  expect(String((await once(socket, 'data'))[0])).toBe('hello');
  expect(secure.authorized).toBe(true);
});

test.each<[readonly string[], string[], string | undefined]>([
  [['h2', 'http/1.1'], ['http/1.1', 'h2'], 'h2'],
  [['http/1.1'], ['h2', 'http/1.1'], 'http/1.1'],
  [['h2'], [], undefined],
  [[], ['h2'], undefined],
])('a service of %j and a client of %j agree on %s, and the egress is told', async (alpn, ALPNProtocols, agreed) => {
  const { ask, local, secure } = await tlsAsked({ ...(ALPNProtocols.length > 0 && { ALPNProtocols }) }, alpn);
  expect(ask.alpn).toBe(agreed);
  await ask.secure(local, { signal: never });
  expect(secure.alpnProtocol).toBe(agreed ?? false);
});

test('a client that speaks nothing that the service does is turned away', async () => {
  await expect(tlsAsked({ ALPNProtocols: ['smtp'] }, ['h2'])).rejects.toMatchObject({
    code: 'CLIENT_UNSUPPORTED',
    message: expect.stringContaining('it speaks smtp, and --tls-alpn says h2'),
  });
});

test('what the client sent behind its hello is not lost', async () => {
  const {
    ask,
    local,
    client: socket,
  } = await asked((wire) => {
    wire.write(`${hello}not TLS at all`, 'latin1');
  });
  const secured = ask.secure(local, { signal: never });
  await expect(secured).rejects.toMatchObject({ code: 'CLIENT_TLS_FAILED' });
  await within(30_000, 'the end', once(socket.resume(), 'end'));
});

test.each<[string, ConnectionOptions, RegExp]>([
  ['does not believe the certificate', { ca: [] }, /closed the connection in the TLS handshake/],
  [
    'speaks TLS 1.1 at most',
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    /unsupported protocol/,
  ],
])('a client that %s is a failure with its reason, and the socket is gone', async (_, options, reason) => {
  const { ask, local, secure } = await tlsAsked(options);
  const closed = new Promise((resolve) => {
    secure.once('close', resolve);
  });
  await expect(ask.secure(local, { signal: never })).rejects.toMatchObject({
    code: 'CLIENT_TLS_FAILED',
    message: expect.stringMatching(reason),
  });
  await within(30_000, 'the end', closed);
});

test('the handshake ends when the client leaves or stops in it, and when the service is gone meanwhile', async () => {
  const leaving = await asked((wire) => {
    wire.write(hello, 'latin1');
  });
  const left = leaving.ask.secure(leaving.local, { signal: never });
  leaving.client.end();
  await expect(left).rejects.toMatchObject({
    code: 'CLIENT_TLS_FAILED',
    message: expect.stringContaining('closed the connection'),
  });

  const atOnce = await asked((wire) => {
    wire.end(hello, 'latin1');
  });
  await expect(atOnce.ask.secure(atOnce.local, { signal: never })).rejects.toMatchObject({
    code: 'CLIENT_TLS_FAILED',
    message: expect.stringContaining('closed the connection'),
  });

  const silent = await asked(
    (wire) => {
      wire.write(hello, 'latin1');
    },
    { deadlineMs: 200 },
  );
  await expect(silent.ask.secure(silent.local, { signal: never })).rejects.toMatchObject({ code: 'CLIENT_TIMEOUT' });

  const gone = await asked((wire) => {
    wire.write(hello, 'latin1');
  });
  const over = new AbortController();
  const secured = gone.ask.secure(gone.local, { signal: over.signal });
  over.abort();
  await expect(secured).rejects.toThrow(AditError);
  await expect(within(30_000, 'the reset', once(gone.client.resume(), 'end'))).rejects.toThrow(/ECONNRESET/);
});
