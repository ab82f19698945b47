/**
 * How much TLS reads at once from a socket that was waited for: a program of its own, for any version of Node.
 * Arguments: a certificate and its key. Prints whether it was waited for without a read, whether its bytes were exact,
 * and whether more than 32 KiB were read at once.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { awaitReadable } from '../../packages/shared/src/net/readiness.ts';

const [certFile, keyFile] = process.argv.slice(2);
const secure = tls.createServer({ cert: readFileSync(certFile!), key: readFileSync(keyFile!) });
const sent = randomBytes(30_000_000);

const server = net.createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const port = (server.address() as net.AddressInfo).port;
const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
client.write(sent);
const [socket] = (await once(server, 'connection')) as [net.Socket];
const waited = (await awaitReadable(socket)) === true && socket.bytesRead === 0;
secure.emit('connection', socket);
const [reader] = (await once(secure, 'secureConnection')) as [tls.TLSSocket];
const got: Buffer[] = [];
let bytes = 0;
let before = socket.bytesRead;
let mostAtOnce = 0;
reader.on('data', (chunk: Buffer) => {
  got.push(chunk);
  bytes += chunk.length;
  mostAtOnce = Math.max(mostAtOnce, socket.bytesRead - before);
  before = socket.bytesRead;
  if (bytes >= sent.length) reader.emit('whole');
});
await once(reader, 'whole');
process.stdout.write(JSON.stringify({ waited, exact: Buffer.concat(got).equals(sent), large: mostAtOnce > 32_768 }));
process.exit(0);
