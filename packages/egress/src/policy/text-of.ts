/**
 * A text of the policy file that one of our parsers reads.
 * Rule: the complaint quotes the text and gives the parser's reason; where it stands is added by whoever knows the
 * document (compile.ts).
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
