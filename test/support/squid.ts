/**
 * squid as a company has it: CONNECT only for those with the right password, over plain HTTP or over TLS, or with the
 * right certificate; and, if it is told so, it ends the TLS inside of CONNECT and looks at what is said (ssl-bump).
 * Rule: it accepts when this returns; nothing of it is left: no cache, no pid file, no log but what the test reads. Its
 * shared memory has a name of its own: without one, every squid of the machine takes the same.
 */
import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair } from './certificates.ts';
import { Child, succeed } from './child.ts';
import type { Issued } from './issuer.ts';
import { find, type Ability } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { accepting, closedPort } from './services.ts';

/** Comes only with a squid that was built with OpenSSL. */
const certificateMaker = '/usr/lib/squid/security_file_certgen';

/** A squid that can ask for certificates and inspect TLS. */
export const squidWithOpenSsl: Ability = {
  name: 'squid-openssl',
  here: () => find('squid') !== undefined && existsSync(certificateMaker),
};

/** Of the user `alice`; it has to be encoded in a URL. */
export const squidPassword = 'p@ss:w%rd/';

export interface SquidOptions {
  /** Ends TLS with this certificate. */
  readonly tls?: KeyPair;
  /** The only port that CONNECT may go to. */
  readonly onlyPort?: number;
  /**
   * With `tls`: asks for a certificate of this CA (PEM file) instead of a password, and serves the one whose common
   * name is alice.
   */
  readonly clientCa?: string;
  readonly inspects?: Inspection;
}

/** Ends TLS inside of CONNECT with certificates of its own making. */
export interface Inspection {
  readonly authority: Issued;
  /** PEM file of the CA that it wants behind it. */
  readonly trusts: string;
  /** Lets `Upgrade: websocket` through; by default squid removes every Upgrade. */
  readonly upgrades: boolean;
}

/** The folder and the port of one squid. */
interface Place {
  readonly folder: string;
  readonly port: number;
}

export async function startSquid(
  options: SquidOptions = {},
): Promise<{ readonly port: number; readonly process: Child; readonly accessLog: string }> {
  const place = { folder: temporaryFolder(), port: await closedPort() };
  const { folder, port } = place;
  const { onlyPort, inspects } = options;
  const [configuration, accessLog] = [join(folder, 'squid.conf'), join(folder, 'access.log')];
  writeFileSync(
    configuration,
    `
${listener(options, place)}
pid_filename none
cache deny all
cache_mem 1 MB
access_log stdio:${accessLog}
cache_log ${join(folder, 'cache.log')}
netdb_filename none
coredump_dir ${folder}
visible_hostname squid.example.org
shutdown_lifetime 0 seconds
max_filedescriptors 1024
${inspects ? await inspecting(inspects, folder) : ''}
${await knowing(options, folder)}
${onlyPort === undefined ? '' : `acl allowed port ${onlyPort}\nhttp_access deny !allowed\n`}http_access allow known
http_access deny all
`,
  );
  readableBySquid(folder);
  const process = new Child(find('squid')!, ['-N', '-n', `adit${port}`, '-d', '1', '-f', configuration], {
    name: 'squid',
    stopSignal: 'SIGINT',
  });
  await process.line(/Accepting (?:HTTP|HTTPS|SSL bumped|\S*).*connections at/i);
  await accepting(port);
  return { port, process, accessLog };
}

function listener({ tls, clientCa, inspects }: SquidOptions, { folder, port }: Place): string {
  const at = `127.0.0.1:${port}`;
  const files = (name: string, pair: { readonly certPem: string; readonly keyPem: string }): string =>
    `tls-cert=${copied(folder, `${name}.crt`, pair.certPem)} tls-key=${copied(folder, `${name}.key`, pair.keyPem)}`;
  if (inspects)
    return (
      `http_port ${at} ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=4MB ` +
      `${files('authority', inspects.authority)}`
    );
  if (!tls) return `http_port ${at}`;
  const asks =
    clientCa === undefined
      ? ''
      : ` clientca=${copied(folder, 'client-ca.crt', readFileSync(clientCa, 'utf8'))} ` +
        `tls-cafile=${join(folder, 'client-ca.crt')}`;
  return `https_port ${at} ${files('proxy', tls.issued)}${asks}`;
}

/** The clients that are served: the ACL `known`. */
async function knowing({ clientCa, inspects }: SquidOptions, folder: string): Promise<string> {
  if (inspects) return 'acl known src 127.0.0.1';
  if (clientCa !== undefined) return 'acl known user_cert CN alice';
  const passwords = join(folder, 'passwords');
  const hash = (await succeed('openssl', ['passwd', '-apr1', '-stdin'], { input: squidPassword })).stdout.trim();
  writeFileSync(passwords, `alice:${hash}\n`);
  return `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${passwords}
auth_param basic children 1 startup=1 idle=1
auth_param basic realm the company
acl known proxy_auth REQUIRED`;
}

async function inspecting({ trusts, upgrades }: Inspection, folder: string): Promise<string> {
  const made = join(folder, 'made-certificates');
  await succeed(certificateMaker, ['-c', '-s', made, '-M', '4MB']);
  if (process.getuid?.() === 0) await succeed('chown', ['-R', `${proxyUser}:${proxyUser}`, made]);
  return `sslcrtd_program ${certificateMaker} -s ${made} -M 4MB
sslcrtd_children 1 startup=1 idle=1
ssl_bump bump all
tls_outgoing_options cafile=${copied(folder, 'trusts.crt', readFileSync(trusts, 'utf8'))}
${upgrades ? 'http_upgrade_request_protocols websocket allow all' : ''}`;
}

function copied(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Started by root, squid becomes another user, which only its own configuration names. */
function readableBySquid(folder: string): void {
  if (process.getuid?.() !== 0) return;
  chmodSync(folder, 0o755);
  chownSync(folder, proxyUser, proxyUser);
}

/** The user `proxy` of Debian. */
const proxyUser = 13;
