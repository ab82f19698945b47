/**
 * Certificates for people without a CA: what other packages and programs may use. Everything fails with AditError.
 *
 * A CA in a folder, safe under several processes at once and when one is killed:
 * - initAuthority(folder, { trustDomain?, days?, constraints?, passphrase? }): Promise<Authority>
 * - openStore(folder, { passphrase?: string | (() => Promise<string | undefined>), waitMs? }): Store
 * - store.issueClient({ name, groups? }, { days?, renew?, out?, p12?: { file, password }, request? }): Promise<Issued>
 * - store.issueEgress({ name, hosts? }, { ...the same }): Promise<Issued>
 * - store.revoke(nameOrSerial, { reason? }): Promise<{ newly, already }>
 * - store.crlPem({ days?, copy? }): Promise<string>, which also writes crl.pem and the file `copy`
 * - store.list(): Listed[], each { name, kind, serial, groups?, hosts?, notBefore, notAfter, revoked?, state }
 * - Issued: { certificate, certificatePem, keyPem?, caPem, serial, notBefore, notAfter, subject, files }
 *
 * In memory:
 * - createAuthority({ trustDomain?, days?, constraints?, now? }): Authority
 * - Authority: { certificate, certificatePem, key, trustDomain, constraints }
 * - issueLeaf(authority, clientSubject(name, groups) | egressSubject(name, hosts), { publicKey, days?, now? }): Leaf
 * - createRevocationList(authority, { revoked, number, days?, now? }): string (PEM)
 * - newPrivateKey(): KeyObject, privateKeyPem(key, passphrase?): string
 * - createRequest(name, key): string, readRequest(bytes, source)
 * - createBundle({ key, certificatePem, caPem, name, password }): Buffer (PKCS#12)
 */
export { createAuthority, readAuthority, type Authority, type AuthorityOptions } from './authority.ts';
export { createBundle, type BundleOptions } from './bundle.ts';
export { checkConstraints } from './constraints.ts';
export type { Constraints } from './extensions.ts';
export { issueLeaf, type Leaf, type LeafOptions } from './leaf.ts';
export {
  checkGroup,
  checkHost,
  checkName,
  checkTrustDomain,
  clientSubject,
  defaultTrustDomain,
  egressSubject,
  type Host,
  type Kind,
  type Subject,
} from './names.ts';
export { isEncryptedKey, newPrivateKey, privateKeyPem, readPrivateKey } from './private-key.ts';
export { createRequest, readRequest, type CertificateRequest } from './request.ts';
export {
  createRevocationList,
  parseReason,
  revocationReasons,
  type RevocationListOptions,
  type RevocationReason,
  type RevokedEntry,
} from './revocation-list.ts';
export { createFile, replaceFile, type FileContent } from './store/durable-file.ts';
export { initAuthority, type InitOptions } from './store/folder.ts';
export type { Ask, ClientAsk, EgressAsk } from './store/issuance.ts';
export type { Entry, State } from './store/register.ts';
export {
  openStore,
  type Issued,
  type IssueOptions,
  type Listed,
  type Store,
  type StoreOptions,
} from './store/store.ts';
export { formatExplanation, type Explanation } from './show/explanation.ts';
export { explain, type ExplainOptions } from './show/show.ts';
