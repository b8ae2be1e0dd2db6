import { parseArgs, type ParseArgsConfig } from 'node:util';
import { defaults } from '../options.js';
import type { ChatParams } from '../prompt/chat-params.js';
import { builtInProviders } from '../provider/built-in-providers.js';

/** The command line itself is wrong. */
export class UsageError extends Error {}

export type ProviderName = keyof typeof builtInProviders;

/** A command line, read. */
export type Arguments =
  | { readonly command: 'help' }
  | { readonly command: 'version' }
  | ({ readonly command: 'mock' } & MockArguments)
  | ({ readonly command: 'turn' } & TurnArguments);

export interface MockArguments {
  /** `undefined`: one that is free. */
  readonly port: number | undefined;
  /** In milliseconds. */
  readonly pace: number | undefined;
  readonly fixture: string | undefined;
  /** Whether pages of any origin may read the answers. */
  readonly cors: boolean;
}

export interface TurnArguments {
  /** `undefined`: it comes from stdin. */
  readonly prompt: string | undefined;
  /** Whether the embedded provider answers, whatever the environment holds, unless another is named. */
  readonly isDemo: boolean;
  readonly provider: ProviderName | undefined;
  readonly baseUrl: string | undefined;
  readonly model: string | undefined;
  readonly system: string | undefined;
  readonly params: ChatParams;
  readonly json: boolean;
  readonly aggregate: boolean;
  readonly usage: boolean;
  readonly maxRetries: number | undefined;
  /** In milliseconds. */
  readonly idleTimeout: number | undefined;
  readonly replay: string | undefined;
  /** In milliseconds. */
  readonly pace: number | undefined;
}

const demoPrompt = 'Why is the sky blue?';

/** What OpenAI is asked for where no model is named. */
export const openAiModel = 'gpt-4o-mini';

/** Milliseconds between two chunks of the embedded provider. */
export const defaultPace = 20;

const providerNames = Object.keys(builtInProviders) as ProviderName[];

/** Words in lines of at most 56 characters, which stand under each other in the help. */
const inLines = (words: readonly string[]): string =>
  words
    .join(', ')
    .replace(/(.{1,56})(?: |$)/g, (_, line: string, at: number) =>
      at === 0 ? line : `\n${' '.repeat(22)}${line}`,
    );

export const help = `Usage: rxjs-chat-completions [options] [prompt]
       rxjs-chat-completions mock [--port N] [--pace MS] [--fixture FILE]
                                    [--cors]

Streams the answer of a model to stdout. Without a prompt, stdin is the prompt.
With mock as its first word, it is a provider instead.

Provider
  --provider NAME     ${inLines(providerNames)}
  --base-url URL      any endpoint, up to and without /chat/completions
  --model NAME        default ${openAiModel} for OpenAI; needed with any other
  Where neither is given, and neither OPENAI_API_KEY nor OPENAI_BASE_URL is set,
  an embedded mock provider answers.

Request
  --system TEXT       instructions
  --param KEY=VALUE   a parameter of the body, such as temperature=0; the value
                      is JSON, or else a string; may be repeated
  --usage             ask for the usage in tokens (some providers refuse this)
  --max-retries N     default ${defaults.maxRetries}
  --idle-timeout MS   the longest silence inside an answer; default ${defaults.idleTimeout}

Output
  --json              the events, one JSON object a line
  --aggregate         the whole answer at once
  Notices, the usage and the time go to stderr.

Without a network
  --demo              ask the embedded provider, unless another is named, and
                      "${demoPrompt}" where no prompt is given
  --replay FILE       play a recorded event stream; the prompt does not matter
  --pace MS           between two chunks of the embedded provider or a replay;
                      default ${defaultPace}

A provider of one's own
  mock                serves Chat Completions on 127.0.0.1 until Ctrl-C, to any
                      client and any key, and prints its base URL
  --port N            default: one that is free
  --pace MS           as above
  --fixture FILE      the answers: a recorded event stream, or JSON (.json)
  --cors              lets web pages of any origin ask and read the answers

  --help, --version

Environment: OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL,
OPENAI_REQUEST_MAX_RETRIES, OPENAI_STREAM_IDLE_TIMEOUT_MS, and the key of each
provider, such as GROQ_API_KEY.

Exit status: 0, 1 after an error, 2 where the command line is wrong, 130 after
Ctrl-C.
`;

/**
 * Reads a command line.
 *
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[]): Arguments {
  if (argv[0] === 'mock') return parseMock(argv.slice(1));
  const { values, positionals } = parse(argv, { ...common, ...turnOptions });
  if (values.help) return { command: 'help' };
  if (values.version) return { command: 'version' };

  const { provider, replay } = values;
  if (provider !== undefined && !isProviderName(provider))
    throw new UsageError(`--provider must be one of ${providerNames.join(', ')}.`);
  if (replay !== undefined && (provider ?? values['base-url']) !== undefined)
    throw new UsageError('--replay plays a file: it goes with neither --provider nor --base-url.');
  const prompt = positionals.join(' ');
  return {
    command: 'turn',
    prompt: prompt.trim() === '' ? (values.demo || replay !== undefined ? demoPrompt : undefined) : prompt,
    isDemo: values.demo ?? false,
    provider,
    baseUrl: values['base-url'],
    model: values.model,
    system: values.system,
    params: paramsOf(values.param ?? []),
    json: values.json ?? false,
    aggregate: values.aggregate ?? false,
    usage: values.usage ?? false,
    maxRetries: wholeNumber('--max-retries', values['max-retries'], 0),
    idleTimeout: wholeNumber('--idle-timeout', values['idle-timeout'], 1),
    replay,
    pace: wholeNumber('--pace', values.pace, 0),
  };
}

function parseMock(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(argv, { ...common, ...mockOptions });
  if (values.help) return { command: 'help' };
  if (values.version) return { command: 'version' };
  if (positionals.length > 0)
    throw new UsageError('mock takes no prompt. To ask a question that begins so, put it in quotes.');
  const port = wholeNumber('--port', values.port, 0);
  if (port !== undefined && port > 65_535) throw new UsageError('--port must be at most 65535.');
  return {
    command: 'mock',
    port,
    pace: wholeNumber('--pace', values.pace, 0),
    fixture: values.fixture,
    cors: values.cors ?? false,
  };
}

const common = {
  pace: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

const turnOptions = {
  provider: { type: 'string' },
  'base-url': { type: 'string' },
  model: { type: 'string' },
  system: { type: 'string' },
  param: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  aggregate: { type: 'boolean' },
  usage: { type: 'boolean' },
  'max-retries': { type: 'string' },
  'idle-timeout': { type: 'string' },
  demo: { type: 'boolean' },
  replay: { type: 'string' },
} as const;

const mockOptions = {
  port: { type: 'string' },
  fixture: { type: 'string' },
  cors: { type: 'boolean' },
} as const;

function parse<T extends NonNullable<ParseArgsConfig['options']>>(argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const isProviderName = (name: string): name is ProviderName => Object.hasOwn(builtInProviders, name);

function wholeNumber(option: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value) || Number(value) < least)
    throw new UsageError(`${option} must be a whole number of at least ${least}.`);
  return Number(value);
}

function paramsOf(params: readonly string[]): ChatParams {
  return Object.fromEntries(
    params.map((param) => {
      const [, key, value] = /^([^=]+)=(.*)$/s.exec(param) ?? [];
      if (key === undefined || value === undefined)
        throw new UsageError('--param must have the form KEY=VALUE.');
      return [key, parseJsonOr(value)];
    }),
  );
}

function parseJsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
