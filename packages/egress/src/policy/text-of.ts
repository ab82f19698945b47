/**
 * The schema of a text in the policy file that has a parser.
 * Rule: a complaint quotes the text and gives the reason of the parser; compile.ts adds the position.
 */
import type { Parsed } from '@adit/shared/protocol/address';
import { z } from 'zod';

/** Keeps the text beside what it means. */
export function textOf<T>(parse: (text: string) => Parsed<T>) {
  return z.string().transform((text, context) => {
    const parsed = parse(text);
    if (parsed.ok) return { text, value: parsed.value };
    context.issues.push({ code: 'custom', message: `${JSON.stringify(text)}: ${parsed.reason}`, input: text });
    return z.NEVER;
  });
}
