/**
 * All egresses of one ingress: a link to each, and the choice of the one that takes the next stream.
 * Rule: by priority, the first that is up; round-robin, those that are up in turn. Open streams stay with their egress;
 * only new ones go elsewhere. An egress that denied us for good is asked again after our certificates are reloaded. The
 * ingress is denied for good when every egress has denied it.
 */
import { type EgressTarget, formatEgress } from '@adit/shared/config/values/egress-address';
import { AditError } from '@adit/shared/errors';
import type { Logger } from '@adit/shared/observe/logger';
import type { StreamOpener } from '@adit/shared/stream/contract';
import { Waiting } from './waiting.ts';

export type Selection = 'priority' | 'round-robin';

/** Keeps one egress ready for streams: by a session, or as a CONNECT proxy. */
export interface EgressLink {
  readonly name: string;
  /** Why it has no session, for error messages; empty if there is no reason. */
  readonly trouble: string;
  /** What helps against it, if that is known. */
  readonly advice: string | undefined;
  readonly session: StreamOpener | undefined;
  readonly streams: number;
  /** Runs until stopped (resolves) or denied for good (rejects with the AditError). */
  run(): Promise<void>;
  stop(): void;
  swap(cause: string): Promise<void>;
  doubt(): void;
}

export interface EgressesOptions {
  readonly selection: Selection;
  readonly connectTimeoutMs: number;
  readonly maxWaiting: number;
  readonly makeLink: (egress: EgressTarget, onUsable: (session: StreamOpener) => void) => EgressLink;
  readonly log: Logger;
}

export class Egresses {
  readonly #options: EgressesOptions;
  readonly #waiting: Waiting<StreamOpener>;
  /** In order of preference. */
  #listed: readonly EgressTarget[] = [];
  #links: EgressLink[] = [];
  /** Listed egresses that denied us for good, and why. */
  readonly #denials = new Map<string, AditError>();
  /** Links to egresses that are no longer listed; they end with their last stream. */
  readonly #retired = new Set<EgressLink>();
  readonly #outcome: Promise<void>;
  #settle!: { readonly resolve: () => void; readonly reject: (error: unknown) => void };
  #turn = 0;
  #stopped = false;
  #trouble = 'no egress is known yet';

  constructor(options: EgressesOptions) {
    this.#options = options;
    this.#waiting = new Waiting({ timeoutMs: options.connectTimeoutMs, maxWaiting: options.maxWaiting });
    this.#outcome = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** The session that takes the next stream, if there is one. */
  get session(): StreamOpener | undefined {
    const links = this.#links;
    const first = this.#options.selection === 'priority' ? 0 : this.#turn++;
    for (let n = 0; n < links.length; n++) {
      const { session } = links[(first + n) % links.length]!;
      if (session) return session;
    }
    return undefined;
  }

  get connectTimeoutMs(): number {
    return this.#options.connectTimeoutMs;
  }

  /** Streams that are open at any of them. */
  get streams(): number {
    return [...this.#links, ...this.#retired].reduce((sum, { streams }) => sum + streams, 0);
  }

  /** The names of those that have a session. */
  get up(): readonly string[] {
    return this.#links.filter(({ session }) => session !== undefined).map(({ name }) => name);
  }

  /** Waits for a session; rejects with EGRESS_UNREACHABLE when the connect timeout passes. */
  ready(): Promise<StreamOpener> {
    return this.#waiting.wait(() => ({
      reason: [this.#trouble, ...this.#links.map((link) => link.trouble)].filter((text) => text !== '').join('; '),
      advice: this.#links.find((link) => link.advice !== undefined)?.advice,
    }));
  }

  /** Resolves when stopped; rejects when every egress has denied us for good. */
  run(): Promise<void> {
    return this.#outcome;
  }

  /** Replaces the egresses, in order of preference; links to those that stay are kept. */
  update(egresses: readonly EgressTarget[]): void {
    if (this.#stopped) return;
    this.#listed = egresses;
    this.#trouble = egresses.length === 0 ? 'no egress is known' : '';
    const names = new Set(egresses.map(formatEgress));
    for (const name of this.#denials.keys()) if (!names.has(name)) this.#denials.delete(name);
    this.#arrange();
  }

  /** Asks the egresses again that denied us for good: our certificates may have changed. */
  retryDenied(): void {
    if (this.#stopped || this.#denials.size === 0) return;
    this.#denials.clear();
    this.#arrange();
  }

  /** Why discovery failed, for the errors of connections that wait. */
  set trouble(text: string) {
    this.#trouble = text;
  }

  async swap(cause: string): Promise<void> {
    await Promise.all(this.#links.map((link) => link.swap(cause)));
  }

  doubt(): void {
    for (const link of [...this.#links, ...this.#retired]) link.doubt();
    this.#sweep();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.fail(new AditError('EGRESS_UNREACHABLE', 'the ingress stops'));
    for (const link of [...this.#links, ...this.#retired]) link.stop();
    this.#settle.resolve();
  }

  #arrange(): void {
    const old = new Map(this.#links.map((link) => [link.name, link]));
    this.#links = this.#listed
      .filter((egress) => !this.#denials.has(formatEgress(egress)))
      .map((egress) => {
        const name = formatEgress(egress);
        const kept = old.get(name);
        old.delete(name);
        return kept ?? this.#start(egress);
      });
    for (const link of old.values()) this.#retired.add(link);
    this.#sweep();
    const [denial] = this.#denials.values();
    if (denial && this.#links.length === 0) this.#settle.reject(denial); // every listed egress has denied us
  }

  #start(egress: EgressTarget): EgressLink {
    const link = this.#options.makeLink(egress, (session) => this.#waiting.give(session));
    link.run().catch((error: unknown) => this.#denied(link, error));
    return link;
  }

  #denied(link: EgressLink, error: unknown): void {
    if (error instanceof AditError && this.#links.includes(link)) this.#denials.set(link.name, error);
    this.#links = this.#links.filter((one) => one !== link);
    this.#retired.delete(link);
    if (!(error instanceof AditError) || this.#links.length === 0) {
      this.#settle.reject(error);
      return;
    }
    this.#options.log.error(
      { event: 'denied', egress: link.name, error, advice: error.advice },
      'this egress denied us for good; the others stay in use',
    );
  }

  #sweep(): void {
    for (const link of this.#retired) {
      if (link.streams > 0) continue;
      this.#retired.delete(link);
      link.stop();
    }
  }
}
