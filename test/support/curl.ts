/** curl in the ways that several scenarios use it. Not here: what its answers should be. */
import type { Certificates, KeyPair } from './certificates.ts';
import { type Finished, run, succeed } from './child.ts';

/** The egress that is asked by CONNECT, and its client. */
export interface ThroughEgress {
  readonly port: number;
  readonly files: Certificates;
  /** The client's certificate; none is shown without it. */
  readonly pair: KeyPair | undefined;
}

/**
 * Asks through the egress as a proxy. Standard output ends with the status that the proxy answered, standard error has
 * the headers.
 */
export function curlThroughEgress({ port, files, pair }: ThroughEgress, ...args: readonly string[]): Promise<Finished> {
  const proxy = ['--proxytunnel', '--proxy', `https://127.0.0.1:${port}`, '--proxy-cacert', files.ca];
  const client = pair ? ['--proxy-cert', pair.cert, '--proxy-key', pair.key] : [];
  return run('curl', ['-sSv', '--max-time', '60', ...proxy, ...client, '-w', '%{http_connect}', ...args], {
    timeoutMs: 90_000,
  });
}

/** The `Proxy-Status` of a refusal, or an empty string. */
export function proxyStatusOf({ stderr }: Finished): string {
  return /^< proxy-status: (.*?)\r?$/im.exec(stderr)?.[1] ?? '';
}

/** Asks for a path over TLS with a name, at a port of this machine. */
export function curlByName(
  {
    name,
    port,
    ca,
    path,
  }: { readonly name: string; readonly port: number; readonly ca: string; readonly path: string },
  ...args: readonly string[]
): Promise<Finished> {
  const to = ['--resolve', `${name}:${port}:127.0.0.1`, '--cacert', ca];
  return run('curl', ['-sS', '--max-time', '60', ...to, ...args, `https://${name}:${port}${path}`]);
}

/** What a service answers to `http://127.0.0.1:PORT/hello`; any status but 2xx is an error. */
export async function hello(port: number): Promise<string> {
  return (await succeed('curl', ['-sS', '--fail', `http://127.0.0.1:${port}/hello`])).stdout;
}

/** Arguments that lead HTTP/2 for localhost to a forward, and verify the service behind it. */
export function http2At(port: number | string, ca: string): string[] {
  return ['--http2', '--cacert', ca, '--connect-to', `localhost:443:127.0.0.1:${port}`];
}

/** The same as `hello`, over HTTP/2 and TLS from end to end. */
export async function secureHello(port: number, ca: string): Promise<string> {
  return (await succeed('curl', ['-sS', '--fail', ...http2At(port, ca), 'https://localhost/hello'])).stdout;
}
