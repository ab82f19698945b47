/**
 * The files that the options of an egress name, and those that its policy names: read at the start, at a reload, and by
 * `--check`; those of a policy also by `adit policy check`.
 * Rule: the start and every check read the same files in the same way. A complaint names the option, or the place in
 * the policy, that the file belongs to.
 * Not here: when to read them again (server.ts).
 */
import { dirname } from 'node:path';
import { about } from '@adit/shared/errors';
import { type Credentials, loadCredentials } from '@adit/shared/identity/credentials';
import { refuseStale, type ShownCertificate } from '@adit/shared/identity/expiry';
import { loadRevocationList, type RevocationList } from '@adit/shared/identity/revocation';
import { loadTrustAnchors, type TrustAnchors } from '@adit/shared/identity/trust';
import { checkCongestion } from '@adit/shared/net/tcp-control';
import { loadServices, type Services } from './backend/services.ts';
import { loadDestinationTls, type ServiceTls } from './backend/service-tls.ts';
import type { EgressOptions } from './options.ts';
import type { Policy } from './policy/policy.ts';
import { PolicyFile } from './policy/reload.ts';

/** What the files beside the policy say. */
export interface Trust {
  readonly credentials: Credentials;
  readonly anchors: TrustAnchors;
  readonly revocation: RevocationList | undefined;
  readonly destinationTls: ServiceTls;
}

/** Reads everything. Fails with POLICY_INVALID, CONFIG_INVALID or CREDENTIALS_UNUSABLE. */
export function loadEgressFiles(options: EgressOptions): { readonly trust: Trust; readonly policy: PolicyFile } {
  checkCongestion(options.congestion);
  return { policy: loadPolicyFiles(options.policy), trust: loadTrust(options) };
}

/**
 * The same for `--check`, which also refuses a revocation list that is out of date: a start with it lets nobody in.
 * Fails as `loadEgressFiles` does, and with REVOCATION_STALE.
 */
export function checkEgressFiles(options: EgressOptions): void {
  const { trust } = loadEgressFiles(options);
  refuseStale(trust.revocation, options.crl);
}

/** The same for a policy file alone, with the files that it names: what `adit policy check` checks. */
export function checkPolicyFiles(file: string): Policy {
  return loadPolicyFiles(file).current;
}

function loadPolicyFiles(file: string): PolicyFile {
  const policy = new PolicyFile(file);
  loadServices(policy.current.services, dirname(file), policy.current.vias);
  return policy;
}

/** Reads the files beside the policy. Fails with CONFIG_INVALID or CREDENTIALS_UNUSABLE. */
export function loadTrust(options: EgressOptions): Trust {
  const anchors = loadTrustAnchors(options.clientCa);
  return {
    credentials: loadCredentials({ cert: options.cert, key: options.key, role: 'egress' }),
    anchors,
    revocation: options.crl === undefined ? undefined : loadRevocationList(options.crl, anchors),
    destinationTls: about({ advice: 'Check --service-ca, --service-cert and --service-key.' }, () =>
      loadDestinationTls(options),
    ),
  };
}

/** The files of `loadTrust`. */
export function trustFiles({ cert, key, clientCa, crl, serviceCa, serviceCert, serviceKey }: EgressOptions): string[] {
  return [cert, key, clientCa, crl, serviceCa, serviceCert, serviceKey].filter((file) => file !== undefined);
}

/** The certificates that services and next hops are shown. */
export function shownCertificates({ destinationTls: { client } }: Trust, services: Services): ShownCertificate[] {
  return [
    ...(client ? [{ what: 'certificate of --service-cert', leaf: client.leaf }] : []),
    ...services.shownCertificates,
  ];
}
