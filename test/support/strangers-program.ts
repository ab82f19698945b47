/**
 * Strangers to an egress, as a process of their own: so many connections from one address that get as far as they were
 * told, say nothing from then on, and come back for ever when they are cut.
 * Arguments: HOW PORT COUNT FROM. Writes a line when all have connected once.
 */
import { connect, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { connect as connectTls } from 'node:tls';

const [how = '', port = '0', count = '0', from = '127.0.0.1'] = process.argv.slice(2);

/** The first flight of a TLS client. */
async function clientHello(): Promise<Buffer> {
  const [near, wire] = duplexPair();
  connectTls({ socket: near, servername: 'localhost', ALPNProtocols: ['adit/1'] }).on('error', () => {});
  for await (const chunk of wire) return chunk as Buffer;
  throw new Error('no ClientHello');
}

const hello = await clientHello();
const steps: Record<string, (socket: Socket) => void> = {
  nothing: () => {},
  byte: (socket) => socket.write(hello.subarray(0, 1)),
  hello: (socket) => socket.write(hello),
  handshake: (socket) => {
    const alpn = connected % 2 === 0 ? 'adit/1' : 'http/1.1'; // one is refused, the other may ask something yet
    connectTls({ socket, servername: 'localhost', ALPNProtocols: [alpn], rejectUnauthorized: false })
      .on('error', () => {})
      .resume();
  },
};
const step = steps[how];
if (step === undefined) throw new Error(`unknown: ${how}`);

let connected = 0;
function come(): void {
  const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress: from, noDelay: true });
  socket
    .on('error', () => {})
    .once('close', () => setImmediate(come))
    .once('connect', () => {
      if (++connected === Number(count)) console.log('all have come');
      step!(socket);
    });
  if (how !== 'handshake') socket.resume();
}
for (let n = 0; n < Number(count); n++) come();
