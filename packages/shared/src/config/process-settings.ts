/**
 * The settings that ingress and egress share: signals, the log, and --check.
 * Rule: they are the last rows of a table, so that the help of every command ends alike.
 */
import { logFormats, logLevels } from '../observe/log-settings.ts';
import type { Settings } from './setting.ts';
import { choice, parseSwitch } from './values/choice.ts';

const reloadSignals = ['auto', 'SIGHUP', 'none'] as const;

export const processSettings = {
  reloadSignal: {
    name: 'reload-signal',
    argument: 'SIGNAL',
    fallback: 'auto',
    parse: choice(reloadSignals),
    help:
      'what loads the files again: SIGHUP; none, so that SIGHUP ends the process; or auto: SIGHUP, unless it says ' +
      'that the terminal of the process closed',
  },
  logLevel: {
    name: 'log-level',
    argument: 'LEVEL',
    fallback: 'info',
    parse: choice(logLevels),
    help: 'debug, info, warn or error',
  },
  logFormat: {
    name: 'log-format',
    argument: 'FORMAT',
    fallback: 'auto',
    parse: choice(logFormats),
    help: 'json, pretty, or auto: pretty on a terminal',
  },
  check: {
    name: 'check',
    fallback: 'false',
    parse: parseSwitch,
    help: 'validate everything that can be validated, then exit',
  },
} as const satisfies Settings;
