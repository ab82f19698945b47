/** Targets that people write: destinations, forwards, policies and settings. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseForward } from '@adit/shared/config/values/forward';
import { AditError } from '@adit/shared/errors';
import { formatDestination, parseDestination } from '@adit/shared/protocol/destination';
import { Policy } from '@adit/egress';
import { parseSettingsFile } from '../../packages/shared/src/config/settings-file.ts';
import { parseSniRoute } from '../../packages/shared/src/config/values/sni-route.ts';
import { damagedText, mayThrow, type Target } from './input.ts';

const settings =
  'egress: "127.0.0.1:8443"\ncert: a.crt\nkey: a.key\nca: ca.crt\nforward:\n  - 5432:db.internal:5432\n' +
  '  - "[::1]:8080:web"\nidle-timeout: 5m\n';
const policy =
  'version: 1\nservices:\n  web: tcp://10.0.0.5:80\nrules:\n  - name: dev\n    identities: [alice, "group:dev"]\n' +
  '    allow: [web, "*.svc.internal:443,8443", "10.0.0.0/8:22"]\n    deny: ["10.0.9.0/24:*"]\n';

/** From the shortest text to the longest. */
export const textTargets: readonly Target[] = [
  {
    name: 'destination',
    share: 1,
    property: () =>
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:%*-]{0,40}$/)), (text) => {
        const parsed = parseDestination(text);
        if (parsed.ok) assert.deepEqual(parseDestination(formatDestination(parsed.value)), parsed);
      }),
  },
  {
    name: 'forward',
    share: 1,
    property: () =>
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:*/-]{0,50}$/)), (text) => {
        assert.equal(typeof parseForward(text).ok, 'boolean');
      }),
  },
  {
    name: 'sni-route',
    share: 1,
    property: () =>
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:%*=-]{0,40}$/)), (text) => {
        assert.equal(typeof parseSniRoute(text).ok, 'boolean');
      }),
  },
  {
    name: 'policy',
    share: 0.05,
    property: () =>
      fc.property(fc.oneof(fc.string(), damagedText(policy)), (text) =>
        mayThrow(AditError, () => {
          Policy.parse(text, 'policy.yaml');
        }),
      ),
  },
  {
    name: 'config-file',
    share: 0.05,
    property: () =>
      fc.property(fc.oneof(fc.string(), damagedText(settings)), (text) => {
        const { entries, complaints } = parseSettingsFile(text, 'adit.yaml');
        assert(Array.isArray(entries) && complaints.every(({ text: line }) => line.startsWith('adit.yaml:')));
      }),
  },
];
