/**
 * The options of `adit ingress`: the sources read by the table of options/settings.ts, and judged together.
 * Rule: a value that is missing, unknown or wrong stops the start; after this file everything is trusted.
 * Not here: reading certificates (run.ts does).
 */
import { resolveOptions, type Sources } from '@adit/shared/config/resolve';
import { allOptional, type Options } from '@adit/shared/config/setting';
import type { TransparentSpec } from '@adit/shared/config/values/transparent-listen';
import { refuseListeners } from './options/listeners.ts';
import { refuseProxies } from './options/proxy.ts';
import { ingressSettings } from './options/settings.ts';
import { refuseTlsOptions } from './options/tls.ts';
import { proxyOfEnvironment, type EnvironmentProxy } from './proxy/environment-proxy.ts';

/**
 * The trusted options of a running ingress. Files are paths; times are milliseconds; an idle or drain time of 0 is off.
 */
export interface IngressOptions extends Options<typeof ingressSettings> {
  /** The proxy of HTTPS_PROXY and the like, if no option says anything about a proxy. */
  readonly environmentProxy?: EnvironmentProxy;
}

/**
 * Flags, environment and file to options; throws one AditError (USAGE, CONFIG_INVALID, CONFIG_UNKNOWN_KEY) with every
 * complaint.
 */
export function resolveIngressOptions(sources: Sources): IngressOptions {
  const options = resolveOptions(ingressSettings, sources);
  refuseListeners(options);
  refuseTlsOptions(options);
  return withProxy(options, sources);
}

/**
 * The listeners for which --print-rules prints rules, or undefined if it is not given. Needs nothing but these
 * listeners. Throws as resolveIngressOptions does.
 */
export function resolveRules(sources: Sources): readonly TransparentSpec[] | undefined {
  if (sources.flags['printRules'] === undefined && sources.environment['ADIT_PRINT_RULES'] === undefined)
    return undefined;
  const { printRules, transparent } = resolveOptions(allOptional(ingressSettings), sources);
  return printRules ? transparent : undefined;
}

/** Judges the options about a proxy; if there are none, adds the proxy of the environment. Throws AditError. */
export function withProxy(options: IngressOptions, sources: Sources): IngressOptions {
  refuseProxies(options);
  const environmentProxy =
    options.proxy === undefined && options.proxyFile === undefined
      ? proxyOfEnvironment(sources.environment)
      : undefined;
  return environmentProxy ? Object.freeze({ ...options, environmentProxy }) : options;
}
