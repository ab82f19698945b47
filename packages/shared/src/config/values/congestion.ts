/**
 * The name of a congestion control, as the kernel has it: `bbr`, `cubic`; or `auto`.
 * Rule: at most 15 characters (TCP_CA_NAME_MAX). Whether the kernel has it is asked at the start.
 */
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export function parseCongestion(text: string): Parsed<string> {
  return /^[a-z0-9_-]{1,15}$/.test(text)
    ? parsed(text)
    : unparsed('neither auto nor the name of a congestion control, as bbr or cubic');
}
