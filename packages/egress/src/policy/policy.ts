/**
 * A policy: who may reach what. Pure: the file comes as text, addresses from the dialer, and nothing here waits.
 * Rule: asked for every stream before DNS (`decide`) and about every resolved address (`decideBackend`). No rule means
 * no, and deny wins. What an identity may do is indexed once for each Subject object, which a session keeps for its
 * life.
 * Spec: docs/policy.md.
 */
import { AditError } from '@adit/shared/errors';
import { parseAddress } from '@adit/shared/protocol/address';
import { type Destination, formatDestination, formatHostPort, parseHost } from '@adit/shared/protocol/destination';
import type { Blocklists } from './blocklist.ts';
import { policyInvalid } from './complaint.ts';
import { compilePolicy, type CompiledPolicy, type Rule } from './compile.ts';
import { Grants } from './grants.ts';
import { identityMatches } from './identity-pattern.ts';
import { judgeRequest, judgeResolved, type Request } from './judge.ts';
import { nearest } from './nearest.ts';
import { runPolicyTests, type FailedTest } from './policy-tests.ts';
import type { Backend, Service } from './service.ts';
import type { Denied, Subject, Verdict } from './verdict.ts';
import type { Via } from './via.ts';

/** One backend of a destination, by its name; a host has only one, whose name does not matter. */
export interface Dialled {
  readonly destination: Destination;
  readonly backend: string;
}

const noLists: Blocklists = new Map();

interface Standing {
  readonly rules: readonly Rule[];
  readonly allow: Grants;
  readonly deny: Grants;
}

export class Policy {
  readonly file: string;
  readonly #compiled: CompiledPolicy;
  readonly #lists: Blocklists;
  readonly #standings = new WeakMap<Subject, Standing>();
  /** Allowed what any identity is allowed. */
  #prober: Standing | undefined;

  private constructor(file: string, compiled: CompiledPolicy, lists: Blocklists) {
    this.file = file;
    this.#compiled = compiled;
    this.#lists = lists;
  }

  /**
   * Reads a policy file's text and runs its tests; `file` names it in complaints and logs. Fails with POLICY_INVALID,
   * all complaints in one.
   */
  static parse(text: string, file: string): Policy {
    return Policy.of(compilePolicy(text, file), file, noLists);
  }

  /** As `parse`, for a compiled file and all the blocklists that it names. */
  static of(compiled: CompiledPolicy, file: string, lists: Blocklists): Policy {
    const missing = blocklistsOf(compiled).find((name) => !lists.has(name));
    if (missing !== undefined)
      throw new AditError('POLICY_INVALID', `The blocklist ${missing}, which ${file} names, was not loaded.`);
    const policy = new Policy(file, compiled, lists);
    const failed = policy.runTests();
    if (failed.length > 0) throw policyInvalid(file, failed);
    return policy;
  }

  /** How much is in the file. */
  get size(): { readonly rules: number; readonly services: number; readonly tests: number; readonly blocked: number } {
    const { rules, services, tests } = this.#compiled;
    return {
      rules: rules.length,
      services: services.size,
      tests: tests.length,
      blocked: [...this.#lists.values()].reduce((sum, { size }) => sum + size, 0),
    };
  }

  /** The trust domains that rules pin: a bare name in a test stands for one client in each. */
  get trustDomains(): readonly string[] {
    const domains = this.#compiled.rules.flatMap(({ identities }) =>
      identities.flatMap((pattern) =>
        pattern.kind !== 'everybody' && pattern.trustDomain !== undefined ? [pattern.trustDomain] : [],
      ),
    );
    return [...new Set(domains)].sort();
  }

  get services(): ReadonlyMap<string, Service> {
    return this.#compiled.services;
  }

  /** The next hops of its rules. */
  get vias(): readonly Via[] {
    return [
      ...new Set(
        this.#compiled.rules.flatMap(({ allow }) => allow.flatMap(({ via }) => (via === undefined ? [] : [via]))),
      ),
    ];
  }

  /** Does any rule name this identity or one of its groups? */
  knows(subject: Subject): boolean {
    return this.#standing(subject).rules.length > 0;
  }

  /**
   * Before DNS: identity, requested name and port. A name that is allowed may be resolved, and `decideBackend` decides
   * about every address; for an address the verdict is final. A service is allowed when one of its backends is. Codes:
   * POLICY_DENIED, UNKNOWN_SERVICE, ADDRESS_PROHIBITED.
   */
  decide(subject: Subject, destination: Destination): Verdict {
    return this.#each(subject, destination, judgeRequest);
  }

  /** As if every name resolved to this address. Checks everything that `decide` checks, with the same codes. */
  decideAddress(subject: Subject, destination: Destination, address: string): Verdict {
    return this.#each(subject, destination, (request) => judgeResolved(request, address));
  }

  /**
   * After DNS: one address, as text, that a backend resolved to (of a Unix socket its path). Checks everything that
   * `decide` checks, with the same codes.
   */
  decideBackend(subject: Subject, { destination, backend: name }: Dialled, address: string): Verdict {
    if (destination.kind === 'host') return this.decideAddress(subject, destination, address);
    const backend = this.#compiled.services.get(destination.service)?.backends.find((one) => one.name === name);
    return backend === undefined
      ? unknownService(destination.service)
      : judgeResolved(this.#request(subject, destination, backend), address);
  }

  /**
   * May a health check reach this address of a backend? Yes where some identity may: a check sends no one's data.
   */
  decideProbe(service: string, backend: Backend, address: string): Verdict {
    this.#prober ??= {
      rules: this.#compiled.rules,
      allow: new Grants(this.#compiled.rules.flatMap(({ allow }) => allow)),
      deny: new Grants([]),
    };
    return judgeResolved(
      this.#asked({ standing: this.#prober, identity: 'a health check' }, { kind: 'service', service }, backend),
      address,
    );
  }

  /** Runs the tests of the file. Returns those that fail, each with its position and the verdict. */
  runTests(): readonly FailedTest[] {
    return runPolicyTests(this, this.#compiled.tests);
  }

  /** The verdict on all backends of a destination: those that pass, or the first refusal. */
  #each(subject: Subject, destination: Destination, judge: (request: Request) => Verdict): Verdict {
    if (destination.kind === 'host') {
      const backend = backendOf(destination);
      return backend === undefined ? noDestination : judge(this.#request(subject, destination, backend));
    }
    const service = this.#compiled.services.get(destination.service);
    if (service === undefined) return unknownService(destination.service);
    const verdicts = service.backends.map((backend) => judge(this.#request(subject, destination, backend)));
    const allowed = verdicts.filter((verdict) => verdict.allow);
    return allowed.length === 0
      ? verdicts[0]!
      : { ...allowed[0]!, service, backends: allowed.flatMap(({ backends }) => backends) };
  }

  #request(subject: Subject, destination: Destination, backend: Backend): Request {
    return this.#asked({ standing: this.#standing(subject), identity: subject.name }, destination, backend);
  }

  #asked(
    { standing: { allow, deny, rules }, identity }: { readonly standing: Standing; readonly identity: string },
    destination: Destination,
    backend: Backend,
  ): Request {
    const { host, port } = backend.kind === 'unix' ? { host: backend.path, port: 0 } : backend;
    const asked = {
      service: destination.kind === 'service' ? destination.service : undefined,
      host,
      port,
      literal: backend.kind === 'unix' ? undefined : parseAddress(host),
    };
    return {
      ...asked,
      allow,
      deny,
      backend,
      text: formatDestination(destination),
      identity,
      nearest: () => nearest(asked, rules, this.#compiled.rules),
    };
  }

  #standing(subject: Subject): Standing {
    const known = this.#standings.get(subject);
    if (known !== undefined) return known;
    const rules = this.#compiled.rules.filter(({ identities }) =>
      identities.some((pattern) => identityMatches(pattern, subject)),
    );
    const standing = {
      rules,
      allow: new Grants(rules.flatMap(({ allow }) => allow)),
      deny: new Grants(
        rules.flatMap(({ deny }) => deny),
        rules
          .flatMap(({ denyFiles }) => denyFiles)
          .map((denied) => ({ ...denied, list: this.#lists.get(denied.file)! })),
      ),
    };
    this.#standings.set(subject, standing);
    return standing;
  }
}

/** The blocklists that the rules name, each once. */
export function blocklistsOf({ rules }: CompiledPolicy): readonly string[] {
  return [...new Set(rules.flatMap(({ denyFiles }) => denyFiles.map(({ file }) => file)))];
}

/** Parses the host again: whoever made the destination, the host that is compared is canonical. */
function backendOf({ host, port, tls }: Extract<Destination, { readonly kind: 'host' }>): Backend | undefined {
  const canonical = parseHost(host);
  if (!canonical.ok || !Number.isInteger(port) || port <= 0 || port > 65535) return undefined;
  return {
    kind: tls ? 'tls' : 'tcp',
    host: canonical.value,
    port,
    name: formatHostPort(canonical.value, port),
    weight: 1,
  };
}

const noDestination: Denied = {
  allow: false,
  code: 'POLICY_DENIED',
  reason: 'The destination is not a host and port.',
  detail: 'the host is not a name or an address, or the port is not 1 to 65535',
};

function unknownService(service: string): Denied {
  return {
    allow: false,
    code: 'UNKNOWN_SERVICE',
    reason: `The egress defines no service ${JSON.stringify(service)}.`,
    detail: `the policy defines no service ${JSON.stringify(service)}`,
  };
}
