/**
 * Explains a revocation list: whose it is, how fresh it is, what it revokes (RFC 5280 section 5).
 * Not here: its signature, which needs the CA. An egress checks it when it loads the list.
 */
import {
  childrenOf,
  context,
  type DerElement,
  DerError,
  expectTag,
  oidOf,
  readDer,
  serialOf,
  smallNumberOf,
  tags,
  timeOf,
} from '@adit/shared/identity/der';
import { revocationReasons } from '../revocation-list.ts';
import { formatDate, type Explanation } from './explanation.ts';
import { nameText } from './name-text.ts';

const shown = 50;
const reasonNames = new Map<number, string>(Object.entries(revocationReasons).map(([name, number]) => [number, name]));
const oids = {
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
} as const;

/** Throws DerError when it does not parse. */
export function explainRevocationList(der: Uint8Array, now: Date): Explanation {
  const [content] = childrenOf(expectTag(readDer(der, 'list'), tags.sequence, 'list'), 'list');
  const fields = childrenOf(expectTag(content, tags.sequence, 'list content'), 'list content');
  const version = fields[0]?.tag === tags.integer ? smallNumberOf(fields.shift(), tags.integer, 'version') + 1 : 1;
  const issuer = expectTag(fields[1], tags.sequence, 'issuer').whole;
  const times = fields.slice(2, 4).filter(({ tag }) => tag === tags.utcTime || tag === tags.generalizedTime);
  const [thisUpdate, nextUpdate] = [timeOf(times[0], 'thisUpdate'), times[1] && timeOf(times[1], 'nextUpdate')];
  const entries = entriesOf(
    fields.slice(2 + times.length).find(({ tag }) => tag === tags.sequence),
    now,
  );
  const extensions = extensionsOf(childOf(fields.find(({ tag }) => tag === context(0, true))));
  const number = extensions.get(oids.crlNumber);
  return {
    title: `revocation list of ${nameText(issuer)}`,
    facts: [
      ...(number === undefined
        ? []
        : [
            [
              'number',
              BigInt(`0x${Buffer.from(readDer(number, 'number').content).toString('hex') || '0'}`).toString(),
            ] as const,
          ]),
      ['made', formatDate(thisUpdate, now)],
      ['next due', nextUpdate === undefined ? 'never' : formatDate(nextUpdate, now)],
      [
        'revoked',
        entries.length === 0 ? 'no certificate' : `${entries.length} certificate${entries.length === 1 ? '' : 's'}`,
      ],
      ...entries.slice(0, shown).map((text) => ['', text] as const),
      ...(entries.length > shown ? [['', `and ${entries.length - shown} more`] as const] : []),
      ['signature', 'not checked here: an egress does that, with its --client-ca'],
    ],
    problems: problemsOf({ version, thisUpdate, nextUpdate, now }, extensions),
  };
}

function problemsOf(
  {
    version,
    thisUpdate,
    nextUpdate,
    now,
  }: { readonly version: number; readonly thisUpdate: Date; readonly nextUpdate: Date | undefined; readonly now: Date },
  extensions: ReadonlyMap<string, Uint8Array>,
): string[] {
  return [
    ...(version === 2 ? [] : [`It is a version ${version} list, and only version 2 is accepted.`]),
    ...(nextUpdate === undefined
      ? ['It does not say when the next one is due, so nobody can tell when it is out of date: it is refused.']
      : []),
    ...(nextUpdate !== undefined && nextUpdate <= now
      ? ['It is out of date: peers refuse everybody until there is a new one ("adit ca crl").']
      : []),
    ...(thisUpdate > now ? ['It was made in the future: compare the clocks.'] : []),
    ...(extensions.has(oids.deltaCrlIndicator) || extensions.has(oids.issuingDistributionPoint)
      ? ['It is a partial list (delta or scoped), which is refused: give the complete one.']
      : []),
  ];
}

function entriesOf(list: DerElement | undefined, now: Date): string[] {
  return list === undefined
    ? []
    : childrenOf(list, 'entries').map((entry) => {
        const [serial, date, extensions] = childrenOf(expectTag(entry, tags.sequence, 'entry'), 'entry');
        const code = extensionsOf(extensions).get(oids.reasonCode);
        const reason = code === undefined ? 0 : smallNumberOf(readDer(code, 'reason'), tags.enumerated, 'reason');
        return (
          `${serialOf(serial)} since ${formatDate(timeOf(date, 'revocation date'), now)}, ` +
          `${reasonNames.get(reason) ?? `reason ${reason}`}`
        );
      });
}

function childOf(tagged: DerElement | undefined): DerElement | undefined {
  return tagged === undefined ? undefined : childrenOf(tagged, 'extensions')[0];
}

/** Values by OID; empty if there is no list of extensions. */
function extensionsOf(list: DerElement | undefined): Map<string, Uint8Array> {
  if (list === undefined) return new Map();
  return new Map(
    childrenOf(list, 'extensions').map((extension) => {
      const parts = childrenOf(extension, 'extension');
      const value = parts.at(-1);
      if (value?.tag !== tags.octetString) throw new DerError('extension has an unexpected type');
      return [oidOf(parts[0], 'extension'), value.content];
    }),
  );
}
