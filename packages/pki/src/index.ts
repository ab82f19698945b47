/** Certificates for people without a CA. */
export { createAuthority, readAuthority, type Authority, type AuthorityOptions } from './authority.ts';
export { checkConstraints } from './constraints.ts';
export { issueLeaf, type Leaf, type LeafOptions } from './leaf.ts';
export { checkGroup, checkHost, checkName, checkTrustDomain, clientSubject, defaultTrustDomain, egressSubject, type Host, type Kind, type Subject } from './names.ts';
export { isEncryptedKey, newPrivateKey, privateKeyPem, readPrivateKey } from './private-key.ts';
export { createRequest, readRequest, type CertificateRequest } from './request.ts';
export { createRevocationList, parseReason, revocationReasons, type RevocationReason } from './revocation-list.ts';
export { initAuthority, type InitOptions } from './store/folder.ts';
