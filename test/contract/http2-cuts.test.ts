/**
 * A cut of HTTP/2 is never told as an end: CONNECT at an egress and at an ingress, against a foreign implementation.
 * Which directions had ended x how the peer cuts x both halves of Adit.
 */
import { expect } from '@jest/globals';
import { certificates } from '../support/certificates.ts';
import { http2Library, Http2Peer, type Http2Command } from '../support/http2-peer.ts';
import { testIngress } from '../support/in-process-ingress.ts';
import { testEgress } from '../support/in-process.ts';
import { scenario } from '../support/scenario.ts';
import { eventually, within } from '../support/scope.ts';
import { client, service, watched, type Client } from '../support/services.ts';

/** Carries streams between the foreign peer and plain sockets of this test. */
interface Half {
  readonly peer: Http2Peer;
  /** Opens one more stream. */
  open(): Promise<Stream>;
}

interface Stream {
  readonly id: number;
  /** At the service of the egress, or the local client of the ingress. */
  readonly plain: Client;
  /** How Adit says that it ended. */
  outcome(): Promise<unknown>;
}

const halves = { egress: egressHalf, ingress: ingressHalf };

async function egressHalf(): Promise<Half> {
  const egress = await testEgress();
  const sockets: Client[] = [];
  const to = await service((socket) => sockets.push(watched(socket)));
  const peer = Http2Peer.client(egress, egress.certs.client('alice'));
  let opened = 0;
  return {
    peer,
    open: async () => {
      const at = opened++;
      peer.say({ open: to.at });
      const { id, status } = await peer.next('status', at);
      expect(status).toBe(200);
      return {
        id: id!,
        plain: sockets[at]!,
        outcome: async () => (await egress.recorded(({ stream }) => stream === id)).end,
      };
    },
  };
}

async function ingressHalf(): Promise<Half> {
  const certs = certificates();
  const { peer, port } = await Http2Peer.server(certs);
  const ingress = await testIngress({ port, certs }, certs.client('alice'), {
    to: 'db.internal:5432',
    egress: [{ kind: 'connect+h2', host: '127.0.0.1', port }],
  });
  let opened = 0;
  return {
    peer,
    open: async () => {
      const at = opened++;
      const plain = await client(ingress.port);
      const { id } = await peer.next('request', at);
      const { port: from } = plain.socket.address() as { port: number };
      return {
        id: id!,
        plain,
        outcome: async () => {
          const line = await ingress.until(
            ({ event, client: of, end }) =>
              event === 'connection' && end !== undefined && String(of).endsWith(`:${from}`),
          );
          return line['end'];
        },
      };
    },
  };
}

const codes = Array.from({ length: 14 }, (_, code) => code);
interface Cut {
  readonly name: string;
  readonly commands: (id: number) => readonly Http2Command[];
  /** Only when the stream is over: bytes that nobody has read are lost to a RST of TCP. */
  readonly waits?: boolean;
}
const resets: readonly Cut[] = codes.map((code) => ({
  name: `RST_STREAM(${code})`,
  commands: (id) => [{ reset: id, code }],
}));
const losses: readonly Cut[] = [
  { name: 'GOAWAY and FIN', commands: () => [{ goaway: 0 }, { fin: 1 }] },
  { name: 'GOAWAY with an error', commands: () => [{ goaway: 2 }] },
  { name: 'FIN', commands: () => [{ fin: 1 }] },
  { name: 'RST', commands: () => [{ cut: 1 }] },
];

/** What ended before the cut. The commands that are returned go out in one write with it. */
type Prepare = (half: Half, stream: Stream) => Promise<readonly Http2Command[]>;
const rest = ({ id }: Stream): Http2Command => ({ send: id, bytes: 204 });
const before: readonly (readonly [name: string, prepare: Prepare, end: 'reset' | 'finished'])[] = [
  ['nothing ended', (_half, stream) => Promise.resolve([rest(stream)]), 'reset'],
  [
    'our side ended',
    async (half, stream) => {
      await endOurs(half, stream);
      return [rest(stream)];
    },
    'reset',
  ],
  [
    'the peer ended',
    async (half, stream) => {
      await endTheirs(half, stream);
      return [];
    },
    'reset',
  ],
  [
    'both ended, ours first',
    async (half, stream) => {
      await endOurs(half, stream);
      return [rest(stream), { end: stream.id }];
    },
    'finished',
  ],
  [
    'both ended, theirs first',
    async (half, stream) => {
      await endTheirs(half, stream);
      await endOurs(half, stream);
      return [];
    },
    'finished',
  ],
];

async function endOurs({ peer }: Half, { id, plain }: Stream): Promise<void> {
  plain.socket.end('x');
  await peer.heard('end', id);
}

async function endTheirs({ peer }: Half, stream: Stream): Promise<void> {
  peer.say(rest(stream), { end: stream.id });
  expect(await ending(stream)).toEqual(['end', 304]);
}

/** How the direction from the peer ended for the plain socket, and after how many bytes. */
async function ending({ plain }: Stream): Promise<readonly [string, number]> {
  const { ending: how, bytes } = await within(30_000, 'the ending', plain.received);
  return [how, bytes.length];
}

/** After the end of the other direction a reset is noticed by the next write. */
async function resetOnWrite({ plain: { socket } }: Stream): Promise<void> {
  const writing = setInterval(() => socket.write('x'), 10);
  const failed = new Promise((resolve) => socket.once('error', resolve));
  await within(30_000, 'the reset', failed).finally(() => clearInterval(writing));
}

async function cut(half: Half, prepare: Prepare, { commands, waits }: Cut): Promise<Stream> {
  const stream = await half.open();
  half.peer.say({ send: stream.id, bytes: 100 });
  await eventually('the first bytes', () => stream.plain.socket.bytesRead === 100);
  const last = await prepare(half, stream);
  if (waits) {
    half.peer.say(...last);
    await stream.outcome();
    half.peer.say(...commands(stream.id));
  } else half.peer.say(...last, ...commands(stream.id));
  return stream;
}

for (const [half, make] of Object.entries(halves))
  for (const [name, prepare, end] of before)
    scenario(`the ${half}, ${name}: a cut is told as ${end}`, [http2Library], async () => {
      const shared = await make();
      for (const [at, one] of [...resets, ...losses].entries()) {
        const own = at < resets.length ? shared : await make();
        const stream = await cut(own, prepare, { ...one, waits: one.name === 'RST' && end === 'finished' });
        if (name === 'the peer ended') await resetOnWrite(stream);
        else if (end === 'finished') expect([one.name, await ending(stream)]).toEqual([one.name, ['end', 304]]);
        else expect([one.name, (await ending(stream))[0]]).toEqual([one.name, 'reset']);
        expect([one.name, await within(30_000, one.name, stream.outcome())]).toEqual([one.name, end]);
      }
    });

scenario('the egress: what comes in one write with its request is told as what it is', [http2Library], async () => {
  const egress = await testEgress();
  const arriving: Client[] = [];
  const to = await service((socket) => {
    arriving.push(watched(socket));
    socket.on('end', () => socket.end());
  });
  const peer = Http2Peer.client(egress, egress.certs.client('alice'));
  const outcomeOf = async (id: number) => (await egress.recorded(({ stream }) => stream === id)).end;

  peer.say({ open: to.at }, { send: 1, bytes: 304 }, { end: 1 });
  await peer.heard('end', 1);
  expect(await within(30_000, 'the end', arriving[0]!.received)).toMatchObject({
    ending: 'end',
    bytes: { length: 304 },
  });
  expect(await outcomeOf(1)).toBe('finished');

  let id = 1;
  const cuts = codes.flatMap((code) => [true, false].map((ends) => ({ code, ends, id: (id += 2) })));
  for (const { code, ends, id: of } of cuts)
    peer.say({ open: to.at }, { send: of, bytes: ends ? 304 : 100 }, ...(ends ? [{ end: of }] : []), {
      reset: of,
      code,
    });
  for (const { id: of } of cuts) expect([of, await within(30_000, 'a record', outcomeOf(of))]).toEqual([of, 'reset']);
  // Some were reset while they were dialled: the service got nothing. Others were reset after an end that was one.
  for (const { received } of arriving.slice(1)) {
    const { ending: how, bytes } = await within(30_000, 'the ending', received);
    if (how === 'end') expect([0, 304]).toContain(bytes.length);
  }
});
