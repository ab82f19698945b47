/**
 * The systemd unit of one half: what packaging/systemd has, and what `adit service install` writes.
 * Rule: a unit may do only what its half needs. V8 makes code at run time, so MemoryDenyWriteExecute stays out; a half
 * connects to whatever the policy allows, so IPAddressDeny does too.
 * Spec: systemd.service(5), systemd.exec(5).
 */

export type Half = 'egress' | 'ingress';

export interface UnitOptions {
  readonly half: Half;
  /** The program and what comes before `egress` or `ingress`: `['/usr/bin/adit']`. */
  readonly command: readonly string[];
  readonly config: string;
  /** Of the machine, or of the user who is logged in. */
  readonly scope: 'system' | 'user';
  /** Of the machine: whose process it is. */
  readonly account?: string;
  /** Is a file that it needs in a home directory? */
  readonly readsHome?: boolean;
  /** Does it speak to systemd by the program systemd-notify? */
  readonly notifiesByProgram?: boolean;
}

/** `adit-egress.service`. */
export function unitName(half: Half): string {
  return `adit-${half}.service`;
}

/** The text of the unit. */
export function unitText(options: UnitOptions): string {
  const { half, scope } = options;
  const network = scope === 'system' ? ['Wants=network-online.target', 'After=network-online.target'] : [];
  const hardening =
    scope === 'system'
      ? [...ofTheSystem(half, options.readsHome === true), ...sandbox]
      : sandbox.filter((line) => !needsPrivilege.test(line));
  return `${[
    '[Unit]',
    `Description=Adit ${half}`,
    `Documentation=man:adit-${half}(1) man:adit-config(5)`,
    ...network,
    '',
    '[Service]',
    ...service(options),
    '',
    ...hardening,
    '',
    '[Install]',
    `WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`,
  ].join('\n')}\n`;
}

function service({ half, command, config, account, notifiesByProgram }: UnitOptions): string[] {
  return [
    'Type=notify',
    // systemd-notify is a child of the main process.
    ...(notifiesByProgram ? ['NotifyAccess=all'] : []),
    `ExecStart=${[...command, half, '--config', config].map(word).join(' ')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    ...(account === undefined ? [] : [`User=${account}`]),
    'Restart=on-failure',
    'RestartSec=1s',
    // Trying again does not mend a configuration, a key, or a denial.
    `RestartPreventExitStatus=${half === 'egress' ? '2 3' : '2 3 4'}`,
    'WatchdogSec=30s',
    'TimeoutStopSec=45s',
    'LimitNOFILE=1048576',
  ];
}

/** What only the manager of the system can give. */
function ofTheSystem(half: Half, readsHome: boolean): string[] {
  return [
    `RuntimeDirectory=adit-${half}`,
    `CacheDirectory=adit-${half}`,
    `ProtectHome=${readsHome ? 'read-only' : 'yes'}`,
    'AmbientCapabilities=',
    'CapabilityBoundingSet=',
    'DevicePolicy=closed',
    'PrivateDevices=yes',
    'PrivateIPC=yes',
    'PrivateMounts=yes',
    'PrivateTmp=yes',
    'PrivateUsers=yes',
    'ProcSubset=pid',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectProc=invisible',
    'ProtectSystem=strict',
    'RemoveIPC=yes',
  ];
}

const sandbox = [
  'KeyringMode=private',
  'LockPersonality=yes',
  'NoNewPrivileges=yes',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'SystemCallErrorNumber=EPERM',
  'SystemCallFilter=@system-service',
  'SystemCallFilter=~@privileged @resources',
  'UMask=0077',
];
/** The manager of a user ignores these, with a warning. */
const needsPrivilege = /^KeyringMode=/;

/** A word of ExecStart: quoted where it has to be; `%` and `$` mean nothing. */
export function word(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./:@%$+,=-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, '\\$&')}"`;
}
