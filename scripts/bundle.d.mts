interface Made {
  readonly files: readonly { readonly path: string; readonly contents: Uint8Array | string }[];
  readonly inputs: readonly string[];
}
export function filesOf(name: 'cli' | 'egress' | 'ingress', define?: Readonly<Record<string, string>>): Promise<Made>;
