/**
 * An ingress from its options to its exit status: listen, keep the link up, reload on SIGHUP, drain on SIGTERM or
 * SIGINT.
 * Rule: a refusal that is final ends the process with status 4; everything else is retried for ever.
 */
import { AditError } from '@adit/shared/errors';
import { takeActivation } from '@adit/shared/net/activation';
import { createLogger, flush } from '@adit/shared/observe/logger';
import { packageVersion } from '@adit/shared/process/package-version';
import { untilSignalled } from '@adit/shared/process/signals';
import { IngressAgent, loadIngressFiles } from './agent.ts';
import type { IngressOptions } from './options.ts';
import { refuseOwnProxy } from './proxy/own-proxy.ts';

/** Resolves with the exit status once the ingress has stopped; throws AditError where it cannot start. */
export async function runIngress(options: IngressOptions): Promise<number> {
  refuseOwnProxy(options);
  if (options.check) {
    loadIngressFiles(options);
    return 0;
  }
  const log = createLogger({ level: options.logLevel, format: options.logFormat, name: 'ingress' });
  const agent = new IngressAgent(options, {
    log,
    agent: `adit/${packageVersion(import.meta.url)}`,
    activation: takeActivation(process.env, process.pid),
  });
  const denied = new AbortController();
  // Before anything says that it listens: whoever reads that may send a signal at once.
  const signalled = untilSignalled({
    reload: () => agent.reload('SIGHUP'),
    swap: () => void agent.swap('SIGUSR2'),
    drain: (impatient) => agent.drain(impatient),
    until: denied.signal,
  });
  try {
    await agent.start();
  } catch (error) {
    denied.abort();
    agent.close();
    throw error;
  }
  let status = 0;
  const running = agent.run().catch((error: unknown) => {
    if (!(error instanceof AditError)) throw error;
    status = error.exitStatus;
    log.error(
      { event: 'denied', code: error.code, reason: error.message, advice: error.advice },
      `the egress denied us: ${error.message}. ${error.advice}`,
    );
    denied.abort();
  });
  await signalled;
  agent.close();
  await running;
  log.info({ event: 'stopped', status }, 'stopped');
  flush();
  return status;
}
