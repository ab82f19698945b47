/**
 * What the policy is asked about and what it answers. Types only.
 * Rule: the `reason` of a refusal may go to the client, and says nothing that is not in the client's own request;
 * `detail` is for the log of the egress.
 */
import type { Refusal } from '@adit/shared/errors';
import type { Backend, Service } from './service.ts';

/**
 * A proven identity: the names in the verified leaf certificate, and nothing that the peer says. The object must not
 * change once the policy was asked about it.
 */
export interface Subject {
  readonly name: string;
  /** spiffe://TRUST-DOMAIN/client/NAME */
  readonly uri: string;
  readonly trustDomain: string;
  /** Names of groups in the same trust domain. */
  readonly groups: readonly string[];
}

export interface Allowed {
  readonly allow: true;
  readonly rule: string;
  readonly detail: string;
  /** Where it may go: a single destination, or the backends of the service that this identity may reach. */
  readonly backends: readonly Backend[];
  /** Absent where no service was asked for. */
  readonly service?: Service;
}

export interface Denied extends Required<Refusal> {
  readonly allow: false;
  readonly rule?: string;
}

export type Verdict = Allowed | Denied;
