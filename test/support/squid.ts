/**
 * squid as a company has it: CONNECT only for those with the right password, over plain HTTP or over TLS.
 * Rule: it accepts when this returns; nothing of it is left: no cache, no pid file, no log but what the test reads. Its shared memory has a
 * name of its own: without one, every squid of the machine takes the same.
 */
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair } from './certificates.ts';
import { Child, succeed } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { accepting, closedPort } from './services.ts';

/** Of the user `alice`; it has to be encoded in a URL. */
export const squidPassword = 'p@ss:w%rd/';

export interface SquidOptions {
  /** Ends TLS with this certificate. */
  readonly tls?: KeyPair;
  /** The only port that CONNECT may go to. */
  readonly onlyPort?: number;
}

export async function startSquid({ tls, onlyPort }: SquidOptions = {}): Promise<{ readonly port: number; readonly process: Child }> {
  const folder = temporaryFolder();
  const port = await closedPort();
  const passwords = join(folder, 'passwords');
  const hash = (await succeed('openssl', ['passwd', '-apr1', '-stdin'], { input: squidPassword })).stdout.trim();
  writeFileSync(passwords, `alice:${hash}\n`);
  const listen = tls ? `https_port 127.0.0.1:${port} tls-cert=${copied(folder, 'proxy.crt', tls.issued.certPem)} tls-key=${copied(folder, 'proxy.key', tls.issued.keyPem)}` : `http_port 127.0.0.1:${port}`;
  const configuration = join(folder, 'squid.conf');
  writeFileSync(configuration, `
${listen}
pid_filename none
cache deny all
cache_mem 1 MB
access_log none
cache_log ${join(folder, 'cache.log')}
netdb_filename none
coredump_dir ${folder}
visible_hostname squid.example.org
shutdown_lifetime 0 seconds
max_filedescriptors 1024
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${passwords}
auth_param basic children 1 startup=1 idle=1
auth_param basic realm the company
acl known proxy_auth REQUIRED
${onlyPort === undefined ? '' : `acl allowed port ${onlyPort}\nhttp_access deny !allowed\n`}http_access allow known
http_access deny all
`);
  readableBySquid(folder);
  const process = new Child(find('squid')!, ['-N', '-n', `adit${port}`, '-d', '1', '-f', configuration], { name: 'squid', stopSignal: 'SIGINT' });
  await process.line(/Accepting (?:HTTP|HTTPS|SSL bumped|\S*).*connections at/i);
  await accepting(port);
  return { port, process };
}

function copied(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Started by root it becomes another user, whom nobody but its own configuration names. */
function readableBySquid(folder: string): void {
  if (process.getuid?.() !== 0) return;
  chmodSync(folder, 0o755);
  chownSync(folder, proxyUser, proxyUser);
}

/** The user `proxy` of Debian. */
const proxyUser = 13;
