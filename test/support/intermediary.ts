/**
 * An egress behind a program that ends TLS, and an ingress before it, over a network that can be cut: ingress, chaos,
 * intermediary, egress.
 * Rule: the intermediary has a certificate of a CA that is not ours, and nothing of ours.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectIngress, listeningPort, startEgress } from './adit.ts';
import { type KeyPair, certificates } from './certificates.ts';
import { chaos } from './chaos.ts';
import { Child } from './child.ts';
import type { CuttableTunnel } from './cuttable-tunnel.ts';
import { adapted, documented } from './documented.ts';
import { startHaproxy } from './haproxy.ts';
import { newCa, newServer } from './issuer.ts';
import { inHttp, startNginxWith } from './nginx.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { closedPort } from './services.ts';

/** What an intermediary is given. */
export interface Front {
  readonly pair: KeyPair;
  /** Certificate and key in one file, as HAProxy wants it. */
  readonly pem: string;
  /** `HOST:PORT` of `--listen-http`. */
  readonly http: string;
  /** `HOST:PORT` of `--listen`, and the CA of what answers there; where there is one. */
  readonly https?: {
    readonly at: string;
    readonly ca: string;
  };
}

export type Behind = CuttableTunnel;

export interface BehindOptions {
  readonly to: Readonly<Record<string, string>>;
  readonly egressFlags?: readonly string[];
  readonly ingressFlags?: readonly string[];
  /** The address that the intermediary sees. */
  readonly from?: string;
  /** Starts the intermediary and says on which port of 127.0.0.1 it is. */
  readonly start: (front: Front) => Promise<number>;
}

/** What an intermediary with this certificate is given, before what listens at `http`. */
export function frontOf(pair: KeyPair, http: string): Front {
  const pem = `${pair.cert}.pem`;
  writeFileSync(pem, pair.issued.certPem + pair.issued.keyPem, { mode: 0o600 });
  return { pair, pem, http };
}

/** nginx as the page of networks has it; `changes` to that text. */
export async function nginxInFront(
  { pair, http }: Front,
  changes: Readonly<Record<string, string>> = {},
): Promise<number> {
  const port = await closedPort();
  await startNginxWith(
    inHttp(
      adapted(documented('networks.md', 'nginx ends TLS', 'nginx'), {
        'listen 443': `listen 127.0.0.1:${port}`,
        '/etc/nginx/tls/tunnel.crt': pair.cert,
        '/etc/nginx/tls/tunnel.key': pair.key,
        '127.0.0.1:8080': http,
        ...changes,
      }),
    ),
  );
  return port;
}

/** HAProxy as the page of networks has it; `changes` to that text. */
export async function haproxyInFront(
  { pem, http }: Front,
  changes: Readonly<Record<string, string>> = {},
): Promise<number> {
  const port = await closedPort();
  await startHaproxy(
    adapted(documented('networks.md', 'HAProxy ends TLS', 'haproxy'), {
      'bind :443': `bind 127.0.0.1:${port}`,
      '/etc/haproxy/tls/tunnel.pem': pem,
      '10.0.0.5:8080': http,
      ...changes,
    }),
  );
  return port;
}

/** Caddy as the page of networks has it, with the certificate that it is given instead of one that it would fetch. */
export async function caddyInFront({ pair, http }: Front): Promise<number> {
  const port = await closedPort();
  const folder = temporaryFolder();
  const site = adapted(documented('networks.md', 'Caddy', 'caddy'), {
    'tunnel.example.org {': `https://127.0.0.1:${port} {\n\ttls ${pair.cert} ${pair.key}`,
    '127.0.0.1:8080': http,
  });
  const file = join(folder, 'Caddyfile');
  writeFileSync(file, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`);
  const caddy = new Child(find('caddy')!, ['run', '--config', file, '--adapter', 'caddyfile'], {
    name: 'caddy',
    env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  await caddy.line(/serving initial configuration/);
  return port;
}

/** Starts everything; the ingress is connected. */
export async function behind({ to, egressFlags = [], ingressFlags = [], from, start }: BehindOptions): Promise<Behind> {
  const files = certificates();
  const authority = newCa('A public CA');
  const outerCa = files.write('public-ca', authority).cert;
  const pair = files.write('front', newServer(authority));
  const egress = await startEgress({ certificates: files, flags: ['--listen-http', '127.0.0.1:0', ...egressFlags] });
  const http = await listeningPort(egress.process, { http: true });
  const network = await chaos(
    await start({ ...frontOf(pair, `127.0.0.1:${http}`), https: { at: `127.0.0.1:${egress.port}`, ca: files.ca } }),
    from === undefined ? {} : { from },
  );
  const tunnel = await connectIngress(egress, {
    certificates: files,
    egressPort: network.port,
    egress: `wss://127.0.0.1:${network.port}`,
    to,
    flags: ['--outer-ca', outerCa, ...ingressFlags],
  });
  return { ...tunnel, network };
}
