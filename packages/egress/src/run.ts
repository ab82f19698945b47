/**
 * An egress from its options to its exit status: start, serve, reload on SIGHUP, drain on SIGTERM or SIGINT.
 * Rule: a second signal cuts the drain short; an egress that cannot start throws before it listens.
 */
import { logUnknownVariables, warnOfVariables } from '@adit/shared/config/environment';
import { takeActivation } from '@adit/shared/net/activation';
import { dropFree } from '@adit/shared/net/free-list';
import { createLogger, flush, type Logger } from '@adit/shared/observe/logger';
import { saveCompiledCode } from '@adit/shared/process/compiled-code';
import { giveMemoryBack } from '@adit/shared/process/give-back';
import { watchLoop } from '@adit/shared/process/loop-watch';
import { packageVersion } from '@adit/shared/process/package-version';
import { SdNotify } from '@adit/shared/process/sd-notify';
import { logIgnored, untilSignalled } from '@adit/shared/process/signals';
import { AccessLog } from './access-log.ts';
import { startLookUpThreads } from './dialer/threads.ts';
import { checkEgressFiles } from './files.ts';
import type { EgressOptions } from './options.ts';
import { EgressServer } from './server.ts';

/** Resolves with the exit status once the egress has stopped; throws AditError where it cannot start. */
export async function runEgress(options: EgressOptions): Promise<number> {
  if (options.check) return check(options);
  const lookUpsAtOnce = await startLookUpThreads(process.env);
  const log = createLogger({ level: options.logLevel, format: options.logFormat, name: 'egress' });
  logUnknownVariables(process.env, log);
  const access = new AccessLog(log);
  const server = new EgressServer(options, {
    log,
    record: (record) => access.record(record),
    lookUpsAtOnce,
    agent: `adit/${packageVersion()}`,
    activation: takeActivation(process.env, process.pid),
  });
  const systemd = new SdNotify({ environment: process.env, log, status: () => server.status });
  const failed = new AbortController();
  // Before the log says that it listens: whoever reads that may send a signal at once.
  const signalled = untilStopped(server, { log, systemd, options, until: failed.signal });
  try {
    await server.start();
    systemd.ready();
    saveCompiledCode();
    giveMemoryBack({ quiet: dropFree });
    watchLoop({ log });
  } catch (error) {
    failed.abort();
    server.close();
    throw error;
  }
  await signalled;
  systemd.close();
  stopped(log, access);
  return 0;
}

interface Running {
  readonly log: Logger;
  readonly systemd: SdNotify;
  readonly options: EgressOptions;
  readonly until: AbortSignal;
}

/** Does what signals ask for; resolves when the drain is done. */
function untilStopped(server: EgressServer, { log, systemd, options, until }: Running): Promise<void> {
  return untilSignalled({
    reload: () => void systemd.reloading(() => server.reload('SIGHUP')),
    reloadSignal: options.reloadSignal,
    ignored: (signal) => logIgnored(log, signal),
    swap: () =>
      log.warn(
        { event: 'failed', reason: 'SIGUSR2 moves the sessions of an ingress; an egress cannot' },
        'nothing done',
      ),
    drain: (impatient) => {
      systemd.stopping();
      return server.drain(impatient);
    },
    until,
  });
}

/** `--check`: everything that the start would refuse. */
function check(options: EgressOptions): number {
  warnOfVariables(process.env, (line) => process.stderr.write(line));
  checkEgressFiles(options);
  return 0;
}

/** Writes the last line of the log, and everything before it. */
function stopped(log: Logger, access: AccessLog): void {
  access.flush();
  log.info({ event: 'stopped', status: 0 }, 'stopped');
  flush();
}
