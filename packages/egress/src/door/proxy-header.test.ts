import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { Deadline } from '@adit/shared/net/deadline';
import { type Cidr, parseCidr } from '@adit/shared/protocol/address';
import { formatHostPort } from '@adit/shared/protocol/destination';
import { ProxyHeaders } from './proxy-header.ts';
import { certificates } from '../../../../test/support/certificates.ts';
import { memoryLog, type Line } from '../../../../test/support/in-process.ts';
import { proxyBlock, proxyLine } from '../../../shared/src/protocol/proxy-protocol-writer.ts';
import { atEnd } from '../../../../test/support/scope.ts';

const ends = { source: { host: '192.0.2.7', port: 51_514 }, destination: { host: '198.51.100.1', port: 443 } };
const ranges = (...texts: string[]): Cidr[] =>
  texts.map((text) => {
    const range = parseCidr(text);
    if (!range.ok) throw new Error(range.reason);
    return range.value;
  });

interface Door {
  readonly port: number;
  readonly lines: Line[];
  readonly served: string[];
  until(match: (line: Line) => boolean): Promise<Line>;
}

/** A listener whose connections pass ProxyHeaders and then belong to `serve`. */
async function door(
  serve: (socket: net.Socket) => void,
  { from = ranges('127.0.0.0/8'), host = '127.0.0.1', deadlineMs = 5_000 } = {},
): Promise<Door> {
  const { log, lines, until } = memoryLog();
  const headers = new ProxyHeaders({ from, log });
  const served: string[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {
      /* arrives with `close` */
    });
    atEnd(() => socket.destroy());
    const go = (remote: string): void => {
      served.push(remote);
      serve(socket);
    };
    const arriving = {
      socket,
      remote: 'the peer itself',
      deadline: new Deadline(deadlineMs),
      cut: undefined,
    };
    if (!headers.expected(socket)) return go(arriving.remote);
    void headers.read(arriving, { always: false }).then((announced) => {
      if (announced)
        go(announced.client ? formatHostPort(announced.client.host, announced.client.port) : arriving.remote);
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  atEnd(() => server.close());
  return { port: (server.address() as net.AddressInfo).port, lines, served, until };
}

function dialled(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {
    /* looked for by who expects it */
  });
  atEnd(() => socket.destroy());
  return socket;
}

const { egress, ca } = certificates();

/** Speaks TLS 1.3 and gives back what it reads. */
function tlsEcho(): (socket: net.Socket) => void {
  const server = tls.createServer(
    { cert: readFileSync(egress.cert), key: readFileSync(egress.key), minVersion: 'TLSv1.3' },
    (socket) => {
      socket.on('error', () => {
        /* arrives with `close` */
      });
      socket.pipe(socket);
    },
  );
  return (socket) => {
    server.emit('connection', socket);
  };
}

/** A TLS client over a socket whose first bytes a test sends itself: `first` gets the bytes of the ClientHello. */
async function handshakeAfter(raw: net.Socket, first: (hello: Buffer) => Promise<void>): Promise<tls.TLSSocket> {
  let said = false;
  const duplex = new Duplex({
    read: () => {
      /* pushed as it comes */
    },
    write: (chunk: Buffer, _encoding, done) => {
      const how = said ? sent(raw, chunk) : first(chunk);
      said = true;
      how.then(() => done(), done);
    },
  });
  raw.on('data', (chunk) => duplex.push(chunk)).on('end', () => duplex.push(null));
  const socket = tls.connect({ socket: duplex, ca: readFileSync(ca), servername: 'localhost' });
  await once(socket, 'secureConnect');
  return socket;
}

const sent = (socket: net.Socket, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    socket.write(bytes, () => resolve());
  });

test.each([
  ['version 1', proxyLine(ends)],
  ['version 2', proxyBlock({ ends, checksum: true })],
])(
  'a header of %s and the ClientHello in one packet: TLS comes up, and the client is the one of the header',
  async (_what, header) => {
    const { port, served } = await door(tlsEcho());
    const raw = dialled(port);
    const socket = await handshakeAfter(raw, (hello) => sent(raw, Buffer.concat([header, hello])));
    socket.write('hello');
    expect(String((await once(socket, 'data'))[0])).toBe('hello');
    expect(served).toEqual(['192.0.2.7:51514']);
  },
);

test('header and ClientHello byte by byte: TLS comes up', async () => {
  const { port, served } = await door(tlsEcho());
  const raw = dialled(port);
  const socket = await handshakeAfter(raw, async (hello) => {
    for (const byte of Buffer.concat([proxyBlock({ ends }), hello])) await sent(raw, Buffer.of(byte));
  });
  socket.write('hello');
  expect(String((await once(socket, 'data'))[0])).toBe('hello');
  expect(served).toEqual(['192.0.2.7:51514']);
});

test('header, ClientHello and what follows the handshake pass through an HTTP server too', async () => {
  const server = http.createServer((_request, response) => {
    response.end('ok');
  });
  const { port, served } = await door((socket) => {
    server.emit('connection', socket);
    socket.resume();
  });
  const socket = dialled(port);
  socket.write(Buffer.concat([proxyLine(ends), Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')]));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 200 OK[^]*ok/);
  expect(served).toEqual(['192.0.2.7:51514']);
});

test.each([
  ['LOCAL', proxyBlock({ ends, command: 'LOCAL' }), 'the peer itself'],
  ['UNKNOWN', proxyLine(), 'the peer itself'],
  ['UNSPEC', proxyBlock(), 'the peer itself'],
  [
    'IPv6',
    proxyBlock({ ends: { source: { host: '2001:db8::7', port: 1 }, destination: { host: '::1', port: 2 } } }),
    '[2001:db8::7]:1',
  ],
  [
    'v4-mapped IPv6',
    proxyBlock({ ends: { source: { host: '::ffff:192.0.2.7', port: 1 }, destination: { host: '::1', port: 2 } } }),
    '192.0.2.7:1',
  ],
])('a header that says %s is taken', async (_what, header, remote) => {
  const { port, served } = await door((socket) => {
    socket.end('served');
    socket.resume();
  });
  const socket = dialled(port);
  socket.write(header);
  expect(String((await once(socket, 'data'))[0])).toBe('served');
  expect(served).toEqual([remote]);
});

test('a peer that is not trusted is served as it is, and its bytes are not looked at', async () => {
  const { port, served } = await door(
    (socket) => {
      socket.pipe(socket);
    },
    { from: ranges('192.0.2.0/24', '::1') },
  );
  const socket = dialled(port);
  socket.write(proxyLine(ends));
  expect(String((await once(socket, 'data'))[0])).toBe(Buffer.from(proxyLine(ends)).toString());
  expect(served).toEqual(['the peer itself']);
});

test('a v4-mapped peer is of its IPv4 range', async () => {
  const { port, served } = await door(
    (socket) => {
      socket.end();
      socket.resume();
    },
    { host: '::' },
  );
  const socket = dialled(port);
  socket.write(proxyLine(ends));
  await once(socket.resume(), 'end');
  expect(served).toEqual(['192.0.2.7:51514']);
});

test('what is no header is dropped unserved, and logged once for many', async () => {
  const { port, served, lines, until } = await door(() => {
    throw new Error('must not be served');
  });
  for (const text of ['\x16\x03\x01\x02\x00\x01', 'GET / HTTP/1.1\r\n', 'PROXY TCP4 10.1 10.2 1 2\r\n']) {
    const socket = dialled(port);
    socket.write(text);
    await once(socket.resume(), 'close');
  }
  await until((line) => lines.filter(({ event }) => event === 'handshake').length === 2 && line.event === 'handshake');
  expect(served).toEqual([]);
  expect(lines.filter(({ event }) => event === 'denied')).toEqual([
    expect.objectContaining({
      level: 'warn',
      remote: 'the peer itself',
      code: 'PROTOCOL_ERROR',
      reason: expect.stringMatching(/does not begin with a PROXY protocol header.*--accept-proxy-protocol/),
    }),
  ]);
});

test('a connection that says nothing and goes is a health check and no reason for a warning', async () => {
  const { port, lines, until } = await door(() => {
    throw new Error('must not be served');
  });
  const socket = dialled(port);
  await once(socket, 'connect');
  socket.end();
  await until(({ event }) => event === 'handshake');
  expect(lines.filter(({ event }) => event === 'denied')).toEqual([]);
});

test('half a header is waited for until the deadline, then cut and said so', async () => {
  const { port, until } = await door(
    () => {
      throw new Error('must not be served');
    },
    { deadlineMs: 100 },
  );
  const socket = dialled(port);
  socket.write('PROXY TCP4 192.0.2.1');
  await once(socket.resume(), 'close');
  expect(await until(({ event }) => event === 'denied')).toMatchObject({ code: 'LINK_TIMEOUT' });
});
