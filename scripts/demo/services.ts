/**
 * The services behind the tunnel, a process of its own: a small web site, the same over its own TLS, and a source of
 * many bytes.
 * Rule: ports come from the kernel and go to the parent in one message; ends with its parent.
 * usage: services.ts CERT KEY SIZE...   (the source sends SIZE bytes to who asks "SIZE\n")
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { blockBytes, hashes, newSeed, numbered } from './content.ts';

export interface Ready {
  readonly ports: { readonly web: number; readonly shop: number; readonly bytes: number };
  readonly sha256: Readonly<Record<string, string>>;
}

/** Blocks under way at once: one is filled while the others are written. */
const blocksAtOnce = 4;

const [cert, key, ...sizes] = process.argv.slice(2) as [string, string, ...string[]];
const seed = newSeed();

const answer: RequestListener = (request, response) => {
  response.end(`hello from ${request.headers.host ?? 'nobody'}${request.url ?? ''}\n`);
};

/** Sends as many bytes as the first line asks for, then ends. */
function send(socket: Socket): void {
  socket.on('error', () => {
    /* who asked went away */
  });
  socket.once('data', (line: Buffer) => {
    const last = Number(line.toString()) / blockBytes;
    let next = 0;
    const more = (block: Buffer): void => {
      if (next === last) socket.end();
      else if (next < last)
        socket.write(numbered(block, next++), (error) => {
          if (!error) more(block);
        });
    };
    for (let n = 0; n < Math.min(blocksAtOnce, last); n++) more(Buffer.from(seed));
  });
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

process.once('disconnect', () => process.exit());
const [web, shop, bytes] = await Promise.all([
  listen(http.createServer(answer)),
  listen(https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer)),
  listen(net.createServer(send)),
]);
const sums = hashes(seed, sizes.map(Number));
const ready: Ready = {
  ports: { web, shop, bytes },
  sha256: Object.fromEntries(sizes.map((size, n) => [size, sums[n]!])),
};
process.send!(ready);
