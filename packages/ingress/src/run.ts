/**
 * An ingress from its options to its exit status: it listens, keeps its links up, reloads on SIGHUP and drains on
 * SIGTERM or SIGINT.
 * Rule: a final refusal by every egress ends the process with status 4; everything else is retried for ever.
 */
import { logUnknownVariables, warnOfVariables } from '@adit/shared/config/environment';
import { AditError } from '@adit/shared/errors';
import { takeActivation } from '@adit/shared/net/activation';
import { dropFree } from '@adit/shared/net/free-list';
import { createLogger, flush, type Logger } from '@adit/shared/observe/logger';
import { saveCompiledCode } from '@adit/shared/process/compiled-code';
import { giveMemoryBack } from '@adit/shared/process/give-back';
import { watchLoop } from '@adit/shared/process/loop-watch';
import { packageVersion } from '@adit/shared/process/package-version';
import { SdNotify } from '@adit/shared/process/sd-notify';
import { logIgnored, type ReloadSignal, untilSignalled } from '@adit/shared/process/signals';
import { IngressAgent } from './agent.ts';
import { checkIngressFiles } from './files.ts';
import type { IngressOptions } from './options.ts';
import { refuseOwnProxy } from './proxy/own-proxy.ts';

/** Resolves with the exit status once the ingress has stopped; rejects with AditError if it cannot start. */
export async function runIngress(options: IngressOptions): Promise<number> {
  refuseOwnProxy(options);
  if (options.check) {
    warnOfVariables(process.env, (line) => process.stderr.write(line));
    checkIngressFiles(options);
    return 0;
  }
  const log = createLogger({ level: options.logLevel, format: options.logFormat, name: 'ingress' });
  logUnknownVariables(process.env, log);
  const agent = new IngressAgent(options, {
    log,
    agent: `adit/${packageVersion()}`,
    activation: takeActivation(process.env, process.pid),
  });
  const systemd = new SdNotify({ environment: process.env, log, status: () => agent.status });
  const status = await runAgent(agent, { log, systemd, reloadSignal: options.reloadSignal });
  systemd.close();
  log.info({ event: 'stopped', status }, 'stopped');
  flush();
  return status;
}

interface Running {
  readonly log: Logger;
  readonly systemd: SdNotify;
  readonly reloadSignal: ReloadSignal;
}

/** From listening to the exit status: runs until a signal, or until every egress has denied us for good. */
async function runAgent(agent: IngressAgent, { log, systemd, reloadSignal }: Running): Promise<number> {
  const denied = new AbortController();
  // Before the log says that it listens: whoever reads that line may send a signal at once.
  const signalled = untilSignalled({
    reload: () => void systemd.reloading(() => agent.reload('SIGHUP')),
    reloadSignal,
    ignored: (signal) => logIgnored(log, signal),
    swap: () => void agent.swap('SIGUSR2'),
    drain: (impatient) => {
      systemd.stopping();
      return agent.drain(impatient);
    },
    until: denied.signal,
  });
  try {
    await agent.start();
    systemd.ready();
    saveCompiledCode();
    giveMemoryBack({ quiet: dropFree });
    watchLoop({ log });
  } catch (error) {
    denied.abort();
    agent.close();
    throw error;
  }
  let status = 0;
  const running = agent.run().catch((error: unknown) => {
    status = statusOf(error, log);
    denied.abort();
  });
  await signalled;
  agent.close();
  await running;
  return status;
}

/** Logs the final denial. */
function statusOf(error: unknown, log: Logger): number {
  if (!(error instanceof AditError)) throw error;
  const { code, message, advice, exitStatus } = error;
  log.error({ event: 'denied', code, reason: message, advice }, 'the egress denied us');
  return exitStatus;
}
