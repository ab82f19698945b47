/**
 * What the policy is asked about and what it answers. Types only.
 * Rule: `reason` may go to the client and says nothing that its own request did not; `detail` is for the log of the
 * egress.
 */
import type { Code } from '@adit/shared/errors';
import type { Backend, Service } from './service.ts';

/**
 * A proven identity: the names of the verified leaf certificate, nothing a peer says. The object is not changed after
 * it is first asked about.
 */
export interface Subject {
  readonly name: string;
  /** spiffe://TRUST-DOMAIN/client/NAME */
  readonly uri: string;
  readonly trustDomain: string;
  /** Names of groups in the same trust domain. */
  readonly groups: readonly string[];
}

export type Verdict =
  | {
      readonly allow: true;
      readonly rule: string;
      readonly detail: string;
      /** Where it may go: one place, or those of the service's backends that this identity may reach. */
      readonly backends: readonly Backend[];
      /** Where a service was asked for. */
      readonly service?: Service;
    }
  | {
      readonly allow: false;
      readonly code: Code;
      readonly reason: string;
      readonly detail: string;
      readonly rule?: string;
    };
