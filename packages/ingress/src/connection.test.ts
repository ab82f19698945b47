/**
 * One local connection as a transcript: in each phase of its life, what can happen to it, and what the client, the
 * egress and the log then hear. The sockets are real, the session is in memory.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { farewell } from '@adit/shared/net/farewell';
import { resetSocket } from '@adit/shared/net/sockets';
import { memoryLog, type Line } from '../../../test/support/in-process.ts';
import { MemorySession } from '../../../test/support/memory-session.ts';
import { within } from '../../../test/support/scope.ts';
import { client, service, type Client } from '../../../test/support/services.ts';
import { serveConnection } from './connection.ts';
import type { Ask, ExchangeAsk, FrontEnd, SecureAsk } from './frontend/contract.ts';
import { LocalClient } from './local-client.ts';

const web = { frontEnd: 'forward', destination: { kind: 'service', service: 'web' } } as const;
const accepted = Buffer.from('yes');
const refused = (): Buffer => Buffer.from('no');

/** Reads nothing of the client, which gets no answer. */
const forward: FrontEnd = { ask: () => ({ ...web, carry: 'splice' }) };

/** A front end whose clients send a line; it keeps reading, as the HTTP proxy does. Of a `?` it can make no sense. */
const afterLine = (answer: (duplex: Duplex, line: Buffer) => Ask): FrontEnd => ({
  ask: ({ duplex }) =>
    new Promise((resolve, reject) => {
      const gone = (): void => reject(new AditError('PEER_GONE', 'the client closed the connection'));
      duplex.on('end', gone).on('close', gone);
      duplex.on('data', (line: Buffer) => {
        if (line.includes('?')) resolve({ error: new AditError('CLIENT_MALFORMED', 'a question'), answer: refused() });
        else if (line.includes('\n')) resolve(answer(duplex, line));
      });
    }),
});

/** A handshake that lasts until the client leaves or the stream ends. */
const handshake: SecureAsk['secure'] = ({ socket }, { signal }) =>
  new Promise((_resolve, reject) => {
    const fail = (code: 'PEER_GONE' | 'CLIENT_TLS_FAILED'): void => {
      resetSocket(socket);
      reject(new AditError(code, 'the handshake failed'));
    };
    signal.addEventListener('abort', () => fail('PEER_GONE'));
    socket.on('close', () => fail('CLIENT_TLS_FAILED')).resume();
  });

/** Passes on what the service sends, and ends when it does. */
const answering =
  (duplex: Duplex): ExchangeAsk['exchange'] =>
  (far) =>
    new Promise((resolve, reject) => {
      duplex.on('close', () => reject(new AditError('PEER_GONE', 'the client left')));
      far.on('error', reject).on('data', (chunk: Buffer) => duplex.write(chunk));
      far.on('end', () => void Promise.all([farewell(duplex), farewell(far)]).then(() => resolve()));
    });

const proxy = afterLine(() => ({ ...web, carry: 'splice', accepted, refused }));
const sni = afterLine((_duplex, line) => ({ ...web, carry: 'splice', early: line, refused }));
const tls = afterLine(() => ({ ...web, carry: 'secure', alpn: 'h2', refused, secure: handshake }));
const http = afterLine((duplex) => ({ ...web, carry: 'exchange', accepted, refused, exchange: answering(duplex) }));

interface Scene {
  readonly local: LocalClient;
  readonly remote: Client;
  readonly session: MemorySession;
  /** Resolves when the connection waits for a session; `none` ends the wait. */
  readonly waits: Promise<{ none(error: AditError): void }>;
  readonly done: Promise<void>;
  readonly lines: Line[];
}

/** A connection to a listener of this front end; `away`: the egress is not there. */
async function begin(frontEnd: FrontEnd, { away = false } = {}): Promise<Scene> {
  const { log, lines } = memoryLog();
  const session = new MemorySession();
  let waiting!: (wait: { none(error: AditError): void }) => void;
  const waits: Scene['waits'] = new Promise((resolve) => {
    waiting = resolve;
  });
  const sessions = {
    connectTimeoutMs: 30_000,
    session: away ? undefined : session,
    ready: () => new Promise<MemorySession>((_resolve, none) => waiting({ none })),
  };
  let serving!: (served: Pick<Scene, 'local' | 'done'>) => void;
  const served = new Promise<Pick<Scene, 'local' | 'done'>>((resolve) => {
    serving = resolve;
  });
  const { port } = await service(
    (socket) => {
      const local = new LocalClient(socket, log);
      serving({ local, done: serveConnection(local, { frontEnd, sessions, idleTimeoutMs: 0, log }) });
    },
    { pauseOnConnect: true },
  );
  const remote = await client(port);
  return { ...(await served), remote, session, waits, lines };
}

/** The client has sent this, and the front end has it. */
async function asking(frontEnd: FrontEnd, text: string, options = {}): Promise<Scene> {
  const scene = await begin(frontEnd, options);
  const heard = once(scene.local.duplex, 'data');
  scene.remote.socket.write(text);
  await within(30_000, 'the bytes at the front end', heard);
  return scene;
}

/** The stream was opened, and these bytes of the client are on it. */
async function dialling(starting: Promise<Scene>, text = ''): Promise<Scene> {
  const scene = await starting;
  await scene.session.stream;
  if (text === '') return scene;
  scene.remote.socket.write(text);
  await within(30_000, 'the bytes on the stream', scene.session.until(text));
  return scene;
}

/** The egress has dialled. */
async function dialled(starting: Promise<Scene>): Promise<Scene> {
  const scene = await starting;
  (await scene.session.stream).opens();
  return scene;
}

/** How a connection gets into each phase of its life. */
const phases: Record<string, () => Promise<Scene>> = {
  'is silent': () => begin(proxy),
  'is asking': () => asking(proxy, 'a'),
  'waits, forward': () => begin(forward, { away: true }),
  'waits, proxy': () => asking(proxy, 'a\n', { away: true }),
  'dials, forward': () => dialling(begin(forward), 'x'),
  'dials, proxy': () => dialling(asking(proxy, 'a\n')),
  'dials, SNI': () => dialling(asking(sni, 'x\n')),
  'dials, TLS': () => dialling(asking(tls, 'a\n')),
  'dials, HTTP': () => dialling(asking(http, 'a\n')),
  'is spliced': () => dialled(dialling(begin(forward), 'x')),
  'is secured': () => dialled(asking(tls, 'a\n')),
  exchanges: () => dialled(asking(http, 'a\n')),
};

/** What happens to it then. */
const events: Record<string, (scene: Scene) => unknown> = {
  leaves: ({ remote }) => remote.socket.resetAndDestroy(),
  ends: ({ remote }) => remote.socket.end(),
  nonsense: ({ remote }) => remote.socket.write('?'),
  'no session': async ({ waits }) => (await waits).none(new AditError('EGRESS_UNREACHABLE', 'no session in time')),
  refused: async ({ session }) => (await session.stream).refuses('POLICY_DENIED'),
  reset: async ({ session }) => (await session.stream).resets('CONNECTION_RESET'),
  'both end': async ({ session, remote }) => {
    (await session.stream).ends();
    remote.socket.end();
  },
  drained: ({ local }) => local.abort('DRAINING', 'the ingress stops'),
};

const catalogue = `
  phase          | event      | client hears | egress hears                    | log
  is silent      | leaves     | left         |                                 | debug PEER_GONE
  is silent      | ends       | end          |                                 | debug PEER_GONE
  is silent      | drained    | reset        |                                 | debug DRAINING
  is asking      | leaves     | left         |                                 | debug PEER_GONE
  is asking      | ends       | reset        |                                 | warn PEER_GONE
  is asking      | drained    | reset        |                                 | warn DRAINING
  is asking      | nonsense   | no, end      |                                 | warn CLIENT_MALFORMED
  waits, forward | leaves     | left         |                                 | debug PEER_GONE
  waits, forward | no session | reset        |                                 | warn EGRESS_UNREACHABLE
  waits, forward | drained    | reset        |                                 | warn DRAINING
  waits, proxy   | leaves     | left         |                                 | debug PEER_GONE
  waits, proxy   | no session | no, end      |                                 | warn EGRESS_UNREACHABLE
  waits, proxy   | drained    | no, end      |                                 | warn DRAINING
  dials, forward | leaves     | left         | OPEN, x, RESET CONNECTION_RESET | debug CONNECTION_RESET
  dials, forward | refused    | reset        | OPEN, x                         | warn POLICY_DENIED
  dials, forward | reset      | reset        | OPEN, x                         | debug CONNECTION_RESET
  dials, forward | drained    | reset        | OPEN, x, RESET DRAINING         | debug DRAINING
  dials, proxy   | leaves     | left         | OPEN, RESET PEER_GONE           | warn PEER_GONE
  dials, proxy   | refused    | no, end      | OPEN                            | warn POLICY_DENIED
  dials, proxy   | reset      | no, end      | OPEN                            | warn CONNECTION_RESET
  dials, proxy   | drained    | no, end      | OPEN, RESET DRAINING            | warn DRAINING
  dials, SNI     | refused    | no, end      | OPEN, x                         | warn POLICY_DENIED
  dials, SNI     | drained    | no, end      | OPEN, x, RESET DRAINING         | warn DRAINING
  dials, TLS     | leaves     | left         | OPEN h2, RESET PEER_GONE        | warn PEER_GONE
  dials, TLS     | refused    | no, end      | OPEN h2                         | warn POLICY_DENIED
  dials, TLS     | reset      | no, end      | OPEN h2                         | warn CONNECTION_RESET
  dials, TLS     | drained    | no, end      | OPEN h2, RESET DRAINING         | warn DRAINING
  dials, HTTP    | leaves     | left         | OPEN, RESET PEER_GONE           | warn PEER_GONE
  dials, HTTP    | refused    | no, end      | OPEN                            | warn POLICY_DENIED
  dials, HTTP    | reset      | no, end      | OPEN                            | warn CONNECTION_RESET
  dials, HTTP    | drained    | no, end      | OPEN, RESET DRAINING            | warn DRAINING
  is spliced     | leaves     | left         | OPEN, x, RESET CONNECTION_RESET | debug CONNECTION_RESET
  is spliced     | reset      | reset        | OPEN, x                         | debug CONNECTION_RESET
  is spliced     | drained    | reset        | OPEN, x, RESET DRAINING         | debug DRAINING
  is spliced     | both end   | end          | OPEN, x, FIN                    | debug NO_ERROR
  is secured     | leaves     | left         | OPEN h2, RESET PEER_GONE        | warn CLIENT_TLS_FAILED, debug PEER_GONE
  is secured     | reset      | reset        | OPEN h2                         | debug CONNECTION_RESET
  is secured     | drained    | reset        | OPEN h2, RESET DRAINING         | debug DRAINING
  exchanges      | leaves     | left         | OPEN, RESET PEER_GONE           | debug PEER_GONE
  exchanges      | reset      | yes, reset   | OPEN                            | debug CONNECTION_RESET
  exchanges      | drained    | yes, reset   | OPEN, RESET DRAINING            | debug DRAINING
  exchanges      | both end   | yes, end     | OPEN, FIN                       | debug NO_ERROR
`;

const rows = catalogue
  .trim()
  .split('\n')
  .slice(1)
  .map((row) => {
    const [phase, event, ...heard] = row.split('|').map((cell) => cell.trim());
    return { phase: phase!, event: event!, heard };
  });

test.each(rows)('a connection that $phase, $event: $heard', async ({ phase, event, heard }) => {
  const scene = await phases[phase]!();
  await events[event]!(scene);
  expect(await transcript(scene)).toEqual(heard);
});

/** What the client, the egress and the log have heard once the connection is over. */
async function transcript({ remote, session, done, lines }: Scene): Promise<readonly string[]> {
  const client = await within(
    30_000,
    'the end at the client',
    remote.received.then(
      ({ bytes, ending }) => [...(bytes.length > 0 ? [bytes.toString()] : []), ending].join(', '),
      () => 'left',
    ),
  );
  remote.socket.end();
  await within(30_000, 'the end of the connection', done);
  for (const { level, event } of lines) expect(event).toBe(level === 'warn' ? 'refused' : 'connection');
  return [client, session.heard.join(', '), lines.map(({ level, code }) => `${level} ${code}`).join(', ')];
}

test('the egress is asked for the destination in the name of the front end and the client', async () => {
  const { local, session, remote } = await dialling(asking(tls, 'a\n'));
  const { localPort } = remote.socket;
  expect(local.address).toEqual({ host: '127.0.0.1', port: localPort });
  expect(session.asked).toEqual({ ...web, client: local.address, alpn: 'h2' });
  remote.socket.destroy();
});

test('the words of a refusal are made of its code and reason', async () => {
  const refusals: unknown[] = [];
  const curious = afterLine(() => ({
    ...web,
    carry: 'splice',
    refused: (refusal) => {
      refusals.push(refusal);
      return refused();
    },
  }));
  const scene = await dialling(asking(curious, 'a\n'));
  (await scene.session.stream).refuses('POLICY_DENIED');
  await transcript(scene);
  expect(refusals).toEqual([{ code: 'POLICY_DENIED', reason: 'the egress says no' }]);
});

test('a session that is over by the time it comes is not used', async () => {
  const { log } = memoryLog();
  const [over, good] = [new MemorySession(), new MemorySession()];
  over.over = true;
  const coming = [over, good];
  const sessions = { connectTimeoutMs: 30_000, session: over, ready: () => Promise.resolve(coming.shift()!) };
  const { port } = await service(
    (socket) =>
      void serveConnection(new LocalClient(socket, log), { frontEnd: forward, sessions, idleTimeoutMs: 0, log }),
    { pauseOnConnect: true },
  );
  const { socket } = await client(port);
  await within(30_000, 'the stream', good.stream);
  expect(over.heard).toEqual([]);
  socket.destroy();
});
