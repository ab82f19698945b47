/**
 * How many lanes a session may have: `auto`, or a number from 1 to 8.
 * Rule: 1 is lane 0 alone. What `auto` means is for the ingress.
 * Spec: docs/protocol.md section 3.10.
 */
import { maxLanes } from '../../protocol/mux/frame.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export function parseLanes(text: string): Parsed<number> {
  return /^[1-9]$/.test(text) && Number(text) <= maxLanes
    ? parsed(Number(text))
    : unparsed(`not a number of connections: write 1 to ${maxLanes}`);
}

export function parseLanesOrAuto(text: string): Parsed<number | 'auto'> {
  if (text === 'auto') return parsed('auto');
  const lanes = parseLanes(text);
  return lanes.ok ? lanes : unparsed(`${lanes.reason}, or auto`);
}
