/**
 * The store of a CA: a folder with its certificate, key, register of certificates, and revocation list.
 * Rule: a change holds the lock from reading the register to writing it. A certificate is recorded durably before
 * anybody gets it, and a revocation before its list is written. If the process is killed between the two, the next
 * `revoke` or `crl` writes the list.
 * Not here: who may use it (whoever can read ca.key), and the dialogue with people.
 */
import { existsSync } from 'node:fs';
import { AditError } from '@adit/shared/errors';
import { readSecretFile } from '@adit/shared/identity/credentials';
import { pemBlocks, readNamedFile } from '@adit/shared/identity/pem';
import { readAuthority, readAuthorityCertificate, type Authority } from '../authority.ts';
import { createBundle } from '../bundle.ts';
import { issueLeaf, type Leaf } from '../leaf.ts';
import { newPrivateKey, isEncryptedKey, privateKeyPem, readPrivateKey } from '../private-key.ts';
import type { CertificateRequest } from '../request.ts';
import { createRevocationList, type RevocationReason } from '../revocation-list.ts';
import type { Subject } from '../names.ts';
import { type Delivery, type DeliveryOptions, prepareDelivery } from './delivery.ts';
import { checkReplaceable, replaceFile } from './durable-file.ts';
import { filesOf, requireAuthority, type StoreFiles } from './folder.ts';
import { decideSubject, groupsBack, wayBack, type Ask, type ClientAsk, type EgressAsk } from './issuance.ts';
import { withLock, type LockOptions } from './lock.ts';
import { formatRegister, parseRegister, stateOf, type Entry, type Register, type State } from './register.ts';
import { revokeIn } from './revoking.ts';

export interface StoreOptions extends LockOptions {
  /** Opens an encrypted key; asked for once, and only when the key is needed. */
  readonly passphrase?: string | (() => Promise<string | undefined>) | undefined;
}

export interface IssueOptions {
  /** Default 90. */
  readonly days?: number | undefined;
  /** Issue another certificate for a name that has one, and replace its files in `out`. Default false. */
  readonly renew?: boolean | undefined;
  /** Issue a certificate for a name whose last one was revoked, and replace its files in `out`. Default false. */
  readonly reinstate?: boolean | undefined;
  /** Folder that gets NAME.key, NAME.crt and ca.crt. Default: no files. */
  readonly out?: string | undefined;
  readonly p12?: { readonly file: string; readonly password: string } | undefined;
  /** Signs the key of this request; then neither the answer nor `out` has a key. */
  readonly request?: CertificateRequest | undefined;
  readonly now?: Date | undefined;
}

export interface Issued extends Leaf {
  readonly subject: Subject;
  /** PKCS#8; absent if the holder made the key. */
  readonly keyPem?: string;
  readonly caPem: string;
  /** The last certificate of the name was revoked, and this one has not its groups: how to get them. */
  readonly groupsBack?: string;
  /** Paths of what was written. */
  readonly files: readonly string[];
}

export interface Listed extends Entry {
  readonly state: State;
}

/**
 * Opens the store in `folder`. Fails with CA_MISSING and CA_CORRUPT. A missing or wrong passphrase shows when the key
 * is needed.
 */
export function openStore(folder: string, options: StoreOptions = {}): Store {
  requireAuthority(folder);
  return new Store(filesOf(folder), options);
}

export class Store {
  readonly #files: StoreFiles;
  readonly #options: StoreOptions;
  readonly #public: Omit<Authority, 'key'>;
  #unlocked: Authority | undefined;

  constructor(files: StoreFiles, options: StoreOptions) {
    this.#files = files;
    this.#options = options;
    this.#public = readAuthorityCertificate(readText(files.certificate, 'the CA certificate'), files.certificate);
    this.#read();
  }

  get caPem(): string {
    return this.#public.certificatePem;
  }
  get trustDomain(): string {
    return this.#public.trustDomain;
  }
  /** The path of the list that `revoke` and `crl` write. */
  get revocationListFile(): string {
    return this.#files.revocationList;
  }

  issueClient(ask: Omit<ClientAsk, 'kind'>, options: IssueOptions = {}): Promise<Issued> {
    return this.issue({ kind: 'client', ...ask }, options);
  }
  issueEgress(ask: Omit<EgressAsk, 'kind'>, options: IssueOptions = {}): Promise<Issued> {
    return this.issue({ kind: 'egress', ...ask }, options);
  }

  /**
   * Fails with NAME_INVALID, NAME_TAKEN, NOT_FOUND (nothing to renew or reinstate), FILE_EXISTS, FILE_UNREADABLE,
   * USAGE, CA_PASSPHRASE, CA_BUSY, CA_CORRUPT, CREDENTIALS_UNUSABLE.
   */
  async issue(ask: Ask, options: IssueOptions = {}): Promise<Issued> {
    const authority = await this.#authority();
    return this.#change((register) => this.#issueIn(register, { authority, ask, options }));
  }

  #issueIn(
    register: Register,
    { authority, ask, options }: { readonly authority: Authority; readonly ask: Ask; readonly options: IssueOptions },
  ): Issued {
    const { renew = false, reinstate = false, out, p12, request, days, now = new Date() } = options;
    const subject = decideSubject(ask, { register, renew, reinstate, now });
    const again = renew || reinstate;
    const back = again ? undefined : wayBack(ask, register);
    const lost = again ? undefined : groupsBack(ask, register);
    const key = request === undefined ? newPrivateKey() : undefined;
    const keyPem = key && privateKeyPem(key);
    const delivery =
      out === undefined
        ? undefined
        : this.#deliver({ out, name: subject.name, renew: again, key: keyPem, p12: p12?.file }, back);
    try {
      const leaf = issueLeaf(authority, subject, {
        publicKey: request?.publicKey ?? key!,
        now,
        ...(days !== undefined && { days }),
      });
      const bundle =
        p12 &&
        key &&
        createBundle({
          key,
          certificatePem: leaf.certificatePem,
          caPem: this.caPem,
          name: subject.name,
          password: p12.password,
        });
      this.#write({ ...register, entries: [...register.entries, entryOf(subject, leaf)] });
      const files = delivery?.finish({ certificatePem: leaf.certificatePem, p12: bundle }) ?? [];
      const more = { ...(keyPem !== undefined && { keyPem }), ...(lost !== undefined && { groupsBack: lost }) };
      return { ...leaf, subject, ...more, caPem: this.caPem, files };
    } finally {
      delivery?.discard();
    }
  }

  /** A file in the way may be the key of a revoked certificate: `back` says how to replace it. */
  #deliver(options: Omit<DeliveryOptions, 'caPem'>, back: string | undefined): Delivery {
    try {
      return prepareDelivery({ ...options, caPem: this.caPem });
    } catch (error) {
      if (back === undefined || !(error instanceof AditError) || error.code !== 'FILE_EXISTS') throw error;
      throw new AditError(error.code, error.message, { cause: error, advice: `The last one was revoked: ${back}` });
    }
  }

  /** Every certificate that was issued, oldest first. Fails with CA_CORRUPT. */
  list(now = new Date()): Listed[] {
    return this.#read().entries.map((entry) => ({ ...entry, state: stateOf(entry, now) }));
  }

  /**
   * Revokes by NAME or SERIAL and writes the list. Earlier revocations stay as they are. Fails with NOT_FOUND,
   * CA_PASSPHRASE, CA_BUSY, CA_CORRUPT, FILE_UNREADABLE.
   */
  async revoke(
    which: string,
    {
      reason = 'unspecified',
      now = new Date(),
    }: { readonly reason?: RevocationReason | undefined; readonly now?: Date } = {},
  ): Promise<{ readonly newly: readonly Entry[]; readonly already: readonly Entry[] }> {
    const authority = await this.#authority();
    return this.#change((register) => {
      const { register: after, newly, already } = revokeIn(register, which, { reason, now });
      this.#writeList(authority, after, now);
      return { newly, already };
    });
  }

  /**
   * Writes a new revocation list and returns it as PEM. `days`: when the next one is due (default: as before, 30 at
   * first). It is also written to `copy`, which must not exist or be a revocation list. Fails as `revoke` does, and
   * with USAGE and FILE_EXISTS.
   */
  async crlPem({
    days,
    copy,
    now = new Date(),
  }: {
    readonly days?: number | undefined;
    readonly copy?: string | undefined;
    readonly now?: Date;
  } = {}): Promise<string> {
    if (copy !== undefined) checkReplaceable(copy, 'a revocation list', isListFile);
    const authority = await this.#authority();
    const list = await this.#change((register) =>
      this.#writeList(authority, { ...register, ...(days !== undefined && { crlDays: days }) }, now),
    );
    if (copy !== undefined) replaceFile({ path: copy, content: list, mode: 0o644 });
    return list;
  }

  /** Records the number before it writes the list, so that no two lists share a number. */
  #writeList(authority: Authority, register: Register, now: Date): string {
    const number = register.crlNumber + 1;
    const revoked = register.entries.flatMap(({ serial, revoked: mark }) =>
      mark === undefined ? [] : [{ serial, ...mark }],
    );
    const list = createRevocationList(authority, {
      revoked,
      number,
      now,
      ...(register.crlDays !== undefined && { days: register.crlDays }),
    });
    this.#write({ ...register, crlNumber: number });
    replaceFile({ path: this.#files.revocationList, content: list, mode: 0o644 });
    return list;
  }

  async #authority(): Promise<Authority> {
    if (this.#unlocked !== undefined) return this.#unlocked;
    requireFile(this.#files.key, 'the CA key');
    const text = readSecretFile(this.#files.key, 'CA key', 'FILE_UNREADABLE').toString('utf8');
    const { passphrase } = this.#options;
    const secret = isEncryptedKey(text)
      ? typeof passphrase === 'function'
        ? await passphrase()
        : passphrase
      : undefined;
    this.#unlocked = readAuthority(this.caPem, readPrivateKey(text, this.#files.key, secret), this.#files.certificate);
    return this.#unlocked;
  }

  #change<T>(work: (register: Register) => T): Promise<T> {
    return withLock(this.#files.lock, () => work(this.#read()), this.#options);
  }
  #read(): Register {
    return parseRegister(readText(this.#files.register, 'the register'), this.#files.register);
  }
  #write(register: Register): void {
    replaceFile({ path: this.#files.register, content: formatRegister(register), mode: 0o600 });
  }
}

function entryOf(subject: Subject, { serial, notBefore, notAfter }: Leaf): Entry {
  const names =
    subject.kind === 'client' ? { groups: subject.groups } : { hosts: subject.hosts.map((host) => host.text) };
  return { name: subject.name, kind: subject.kind, serial, ...names, notBefore, notAfter };
}

/** Whether this is a revocation list of any CA, in PEM. */
function isListFile(content: Buffer): boolean {
  return pemBlocks(content.toString('latin1'))?.some(({ label }) => label === 'X509 CRL') === true;
}

function readText(path: string, what: string): string {
  requireFile(path, what);
  return readNamedFile(path, what, 'FILE_UNREADABLE').toString('utf8');
}

function requireFile(path: string, what: string): void {
  if (!existsSync(path)) throw new AditError('CA_CORRUPT', `The store lacks ${what} (${path}).`);
}
