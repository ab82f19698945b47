/** An attack of the soak, and what it needs to know. */

/** Paths of PEM files, a certificate for each kind of member, and where the services are. */
export interface AttackOptions {
  readonly port: number;
  readonly ca: string;
  readonly pairs: Readonly<Record<string, { readonly cert: string; readonly key: string }>>;
  readonly services: Readonly<Record<'echo' | 'pours' | 'deaf', number>>;
  /** Whether the egress asks a name server that never answers. */
  readonly silentNames: boolean;
}

/** Resolves when it was carried out once, or was cut; `over` says that it is time to stop. */
export type Attack = (options: AttackOptions, over: () => boolean) => Promise<void>;
