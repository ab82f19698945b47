/** The licences of what is inside, as one text for people. */
import type { Library } from './libraries.ts';

const rule = `\n\n${'-'.repeat(80)}\n\n`;

/** `node` is the text of Node's licences, for the artifacts that have a Node inside. */
export function noticesOf(
  libraries: readonly Library[],
  node?: { readonly version: string; readonly licence: string },
): string {
  const parts = [
    'Adit is licensed under the Apache License 2.0: see LICENSE. Inside are these works of others.',
    ...libraries.map(({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text}`),
    ...(node === undefined
      ? []
      : [`Node.js ${node.version}, with the works that it contains\n\n${node.licence.trim()}`]),
  ];
  return `${parts.join(rule)}\n`;
}
