/**
 * Reads flags, environment and file into one typed, complete and frozen set of options.
 * Rule: the flag wins over the variable, the variable over the file, the file over the default; a list comes whole from
 * the strongest source. Every source is checked, also one that is overridden, and all complaints are one error. Unknown
 * variables are part of that error, and none by themselves (environment.ts).
 * Not here: what commander accepts (flags.ts), and whether the named files are usable (their readers check that).
 */
import { quote, refuse, type Complaint } from './complaint.ts';
import { unknownVariables, type Environment } from './environment.ts';
import { exposedCredentials } from './exposed.ts';
import { fieldOf } from './flags.ts';
import { variableOf, type Options, type Setting, type Settings } from './setting.ts';
import { readSettingsFile, type FileText, type SettingsFile } from './settings-file.ts';
import { didYouMean } from './suggest.ts';

export interface Sources {
  /** What commander gathered (`command.opts()`): texts of each flag by its camelCase name. */
  readonly flags: Readonly<Record<string, readonly string[] | undefined>>;
  readonly environment: Environment;
}

/** The texts that one source has for one setting; `at` names the place in a complaint. */
interface Given {
  readonly texts: readonly (Pick<FileText, 'text' | 'at'> & { readonly offset?: number })[];
  readonly from?: string;
}

/**
 * The options of a table. Throws AditError with exit status 2: USAGE if required values are missing,
 * CONFIG_UNKNOWN_KEY or CONFIG_INVALID.
 */
export function resolveOptions<const S extends Settings>(settings: S, sources: Sources): Options<S> {
  const complaints: Complaint[] = [];
  const path = configPath(sources, complaints);
  const file = path === undefined ? undefined : readSettingsFile(path);
  if (file) complaints.push(...file.complaints, ...unknownKeys(file, settings));
  complaints.push(...exposedCredentials(settings, { flags: sources.flags, file }));
  const options: Record<string, unknown> = {};
  const missing: Setting[] = [];
  for (const [field, setting] of Object.entries(settings)) {
    const values = given(setting, { ...sources, file }, complaints).map((source) =>
      parseAll(setting, source, complaints),
    );
    const strongest =
      values[0] ??
      (setting.fallback === undefined
        ? undefined
        : parseAll(setting, { texts: [{ text: setting.fallback, at: 'the default' }] }, complaints));
    if (strongest) options[field] = setting.many ? Object.freeze(strongest) : strongest[0];
    else if (setting.required) missing.push(setting);
    else if (setting.many) options[field] = Object.freeze([]);
  }
  // A file that does not parse may hold what seems to be missing.
  if (missing.length > 0 && !file?.complaints.length) complaints.push(missingValues(missing));
  refuse([...misspelt(sources.environment, complaints[0]?.code), ...complaints]);
  return Object.freeze(options) as Options<S>;
}

/** Unknown variables stop nothing, but may be why something is missing. */
function misspelt(environment: Environment, code: Complaint['code'] | undefined): Complaint[] {
  return code === undefined ? [] : unknownVariables(environment).map(({ text }) => ({ code, text }));
}

function configPath({ flags, environment }: Sources, complaints: Complaint[]): string | undefined {
  const texts = flags['config'] ?? [];
  if (texts.length > 1) complaints.push({ code: 'USAGE', text: '--config is given more than once' });
  const path = texts[0] ?? environment['ADIT_CONFIG'];
  if (path !== '') return path;
  complaints.push({
    code: 'CONFIG_INVALID',
    text: `${texts.length > 0 ? '--config' : 'ADIT_CONFIG'} is empty: name a file, or leave it out`,
  });
  return undefined;
}

function unknownKeys(file: SettingsFile, settings: Settings): Complaint[] {
  const known = Object.values(settings).map((setting) => setting.name);
  return file.entries
    .filter((entry) => !known.includes(entry.key))
    .map(({ at, offset, key }): Complaint => ({
      code: 'CONFIG_UNKNOWN_KEY',
      offset,
      text:
        key === 'config'
          ? `${at}: a configuration file cannot name another one`
          : `${at}: the key ${quote(key)} is unknown${didYouMean(key, known)}`,
    }));
}

/** The texts of each source that has the setting, strongest first. */
function given(
  setting: Setting,
  { flags, environment, file }: Sources & { readonly file: SettingsFile | undefined },
  complaints: Complaint[],
): Given[] {
  const found: Given[] = [];
  const flag = flags[fieldOf(setting.name)];
  if (flag !== undefined) found.push({ texts: flag.map((text) => ({ text, at: `--${setting.name}` })) });
  const variable = variableOf(setting.name);
  const text = environment[variable];
  if (text === '')
    complaints.push({ code: 'CONFIG_INVALID', text: `${variable} is empty: unset it, or give it a value` });
  else if (text !== undefined)
    found.push({
      texts: (setting.many ? text.split(',').map((item) => item.trim()) : [text]).map((item) => ({
        text: item,
        at: variable,
      })),
    });
  const entry = file?.entries.find((candidate) => candidate.key === setting.name);
  if (file && entry) {
    const wrong =
      entry.list && !setting.many
        ? 'takes one value, not a list'
        : entry.list && entry.texts.length === 0
          ? 'is an empty list'
          : undefined;
    if (wrong !== undefined)
      complaints.push({ code: 'CONFIG_INVALID', offset: entry.offset, text: `${entry.at}: ${setting.name} ${wrong}` });
    found.push({
      texts: entry.texts
        .slice(0, setting.many ? undefined : 1)
        .map((item) => ({ ...item, at: `${item.at}: ${setting.name}` })),
      from: file.folder,
    });
  }
  return found;
}

function parseAll(setting: Setting, { texts, from }: Given, complaints: Complaint[]): unknown[] {
  if (texts.length > 1 && !setting.many)
    complaints.push({ code: 'USAGE', text: `${texts[0]!.at} is given more than once` });
  return texts.flatMap(({ text, at, offset }) => {
    const result = setting.parse(text, from);
    if (result.ok) return [result.value];
    complaints.push({
      code: 'CONFIG_INVALID',
      ...(offset === undefined ? {} : { offset }),
      text: setting.secret
        ? `${at}: the value is not usable`
        : `${at} ${quote(setting.shown?.(text) ?? text)}: ${result.reason}`,
    });
    return [];
  });
}

function missingValues(settings: readonly Setting[]): Complaint {
  const list = (words: readonly string[]): string =>
    words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
  const names = settings.map((setting) => setting.name);
  const flags = list(settings.map((setting) => (setting.secret ? variableOf(setting.name) : `--${setting.name}`)));
  const commandLine = settings.every((setting) => setting.secret) ? '' : 'on the command line, ';
  const [verb, them] = names.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return {
    code: 'USAGE',
    offset: Infinity,
    text:
      `${flags} ${verb} required: give ${them} ${commandLine}as ${list(names.map(variableOf))} in the ` +
      `environment, or as ${list(names.map((name) => `"${name}:"`))} in the file of --config`,
  };
}
