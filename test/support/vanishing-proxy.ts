/**
 * A CONNECT proxy over TLS that is gone in the midst of each tunnel, as one whose process is killed: after `some` bytes
 * the kernel ends TCP, and nobody ends TLS.
 */
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { Certificates } from './certificates.ts';
import { service, type Service } from './services.ts';

/** With `afterEnd` it vanishes only when its client has ended its half. */
export function vanishingProxy({ egress }: Certificates, { afterEnd = false } = {}): Promise<Service> {
  const server = { isServer: true, cert: readFileSync(egress.cert), key: readFileSync(egress.key) };
  return service((below) => {
    const secure = new tls.TLSSocket(below, server);
    secure.allowHalfOpen = true;
    secure.on('error', () => {
      /* a client that asks for nothing breaks off */
    });
    const vanish = (): boolean => secure.write('some', () => below.end());
    secure.once('data', () => {
      secure.write('HTTP/1.1 200 OK\r\n\r\n');
      if (afterEnd) secure.once('end', vanish);
      else vanish();
    });
  });
}
