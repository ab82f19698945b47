/**
 * Throwaway certificates of one run, for every pair alike: ECDSA P-256, one CA, one server, one client.
 * Rule: Adit and its peers get the very same files, so that no row compares certificates.
 * Not here: the CLI's own CA; the benchmark measures transport and has to work for any build of Adit.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { farAddress } from './link/far-address.ts';
import { run } from './process/child.ts';
import { requireProgram } from './process/program.ts';

/** Paths of PEM files; `pem` is the certificate followed by its key. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  readonly pem: string;
}
export interface Pki {
  readonly ca: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
}

/** DNS name of the server, for peers that check one. */
export const serverName = 'localhost';
/** Name of the client: common name, and last part of its SPIFFE id. */
export const clientName = 'alice';

/** Makes the files in a new folder. Fails when `openssl` is missing or refuses. */
export async function makePki(folder: string): Promise<Pki> {
  mkdirSync(folder, { mode: 0o700 });
  const at = (name: string): string => join(folder, name);
  await makeKey(at('ca.key'));
  await openssl([
    'req',
    '-x509',
    '-new',
    '-key',
    at('ca.key'),
    '-sha256',
    '-days',
    '30',
    '-subj',
    '/CN=bench-ca',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
    '-out',
    at('ca.crt'),
  ]);
  return {
    ca: at('ca.crt'),
    server: await issue(folder, {
      name: serverName,
      usage: 'serverAuth',
      subjectAltName: `DNS:${serverName},IP:127.0.0.1,IP:${farAddress}`,
    }),
    client: await issue(folder, {
      name: clientName,
      usage: 'clientAuth',
      subjectAltName: `URI:spiffe://bench.test/client/${clientName}`,
    }),
  };
}

interface Leaf {
  readonly name: string;
  readonly usage: 'serverAuth' | 'clientAuth';
  readonly subjectAltName: string;
}

async function issue(folder: string, { name, usage, subjectAltName }: Leaf): Promise<KeyPair> {
  const file = (ending: string): string => join(folder, `${name}.${ending}`);
  await makeKey(file('key'));
  await openssl(['req', '-new', '-key', file('key'), '-subj', `/CN=${name}`, '-out', file('csr')]);
  writeFileSync(
    file('ext'),
    [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      `extendedKeyUsage=${usage}`,
      `subjectAltName=${subjectAltName}`,
      'subjectKeyIdentifier=hash',
      'authorityKeyIdentifier=keyid',
      '',
    ].join('\n'),
  );
  await openssl([
    'x509',
    '-req',
    '-in',
    file('csr'),
    '-CA',
    join(folder, 'ca.crt'),
    '-CAkey',
    join(folder, 'ca.key'),
    '-CAcreateserial',
    '-days',
    '30',
    '-sha256',
    '-extfile',
    file('ext'),
    '-out',
    file('crt'),
  ]);
  writeFileSync(file('pem'), readFileSync(file('crt'), 'utf8') + readFileSync(file('key'), 'utf8'), { mode: 0o600 });
  return { cert: file('crt'), key: file('key'), pem: file('pem') };
}

async function makeKey(file: string): Promise<void> {
  await openssl(['ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', file]);
  chmodSync(file, 0o600);
}

async function openssl(args: readonly string[]): Promise<void> {
  const { status, stderr } = await run([requireProgram('openssl'), ...args], { timeoutMs: 20_000 });
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr.trim()}`);
}
