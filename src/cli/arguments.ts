import type { ChatParams } from '../prompt/chat-params.js';
import { builtInProviders } from '../provider/built-in-providers.js';
import { nearest } from './nearest.js';
import { parseOptions, UsageError } from './parse-options.js';

export type ProviderName = keyof typeof builtInProviders;

/** A parsed command line. */
export type Arguments =
  | { readonly command: 'help' }
  | { readonly command: 'version' }
  | ({ readonly command: 'mock' } & MockArguments)
  | ({ readonly command: 'turn' } & TurnArguments);

export interface MockArguments {
  /** `undefined`: any free port. */
  readonly port: number | undefined;
  /** In milliseconds. */
  readonly pace: number | undefined;
  readonly fixture: string | undefined;
  /** Whether pages of any origin may read the answers. */
  readonly cors: boolean;
}

export interface TurnArguments {
  /** `undefined`: stdin is the prompt, or, with `chat`, the first question. */
  readonly prompt: string | undefined;
  /** Whether stdin is part of the prompt: never, if something arrives, or however long it takes. */
  readonly stdin: 'ignored' | 'optional' | 'required';
  readonly chat: boolean;
  readonly showReasoning: boolean;
  /** Whether the embedded provider answers, whatever the environment says, unless another is named. */
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

export const demoPrompt = 'Why is the sky blue?';

/** The model for OpenAI if none is named. */
export const openAiModel = 'gpt-4o-mini';

/** Milliseconds between two chunks of the embedded provider. */
export const defaultPace = 20;

export const providerNames = Object.keys(builtInProviders) as ProviderName[];

/**
 * Parses a command line.
 *
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[]): Arguments {
  if (argv[0] === 'mock') return parseMock(argv.slice(1));
  const { values, positionals } = parseOptions(argv, { ...common, ...turnOptions }, notOfTurns);
  if (values.help) return { command: 'help' };
  if (values.version) return { command: 'version' };

  const { provider, replay, chat = false } = values;
  if (provider !== undefined && !isProviderName(provider)) throw new UsageError(noProvider(provider));
  if (replay !== undefined && (provider ?? values['base-url']) !== undefined)
    throw new UsageError(
      `--replay plays a file and sends no request: remove ${provider === undefined ? '--base-url' : '--provider'}.`,
    );
  if (values.json === true && values['show-reasoning'] === true)
    throw new UsageError('--json already includes the reasoning: remove --show-reasoning.');
  // Inside an unquoted prompt, it is a minus sign.
  const hasDash = positionals.at(-1) === '-';
  if (chat && hasDash)
    throw new UsageError('With --chat, each line of stdin is already a question: remove the -.');
  const words = (hasDash ? positionals.slice(0, -1) : positionals).join(' ');
  const text = words.trim() === '' ? undefined : words;
  // A user who replays a recording, or only wants a demo, has no question on stdin.
  const isIgnored = chat || replay !== undefined || (values.demo === true && text === undefined && !hasDash);
  return {
    command: 'turn',
    prompt: text ?? (isIgnored && !chat ? demoPrompt : undefined),
    stdin: isIgnored ? 'ignored' : text === undefined || hasDash ? 'required' : 'optional',
    chat,
    showReasoning: values['show-reasoning'] ?? false,
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
  const { values, positionals } = parseOptions(argv, { ...common, ...mockOptions }, notOfMock);
  if (values.help) return { command: 'help' };
  if (values.version) return { command: 'version' };
  if (positionals.length > 0)
    throw new UsageError(
      'mock takes no prompt. To ask a question that starts with "mock", put it in quotes.',
    );
  const port = wholeNumber('--port', values.port, 0);
  if (port !== undefined && port > 65_535) throw new UsageError('--port must be 65535 or less.');
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
  chat: { type: 'boolean' },
  'show-reasoning': { type: 'boolean' },
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

/** Request parameters that users expect as options. */
const parameters = [
  'temperature',
  'top_p',
  'max_tokens',
  'max_completion_tokens',
  'reasoning_effort',
  'response_format',
  'seed',
  'stop',
  'n',
];

function notOfTurns(name: string): string | undefined {
  if (Object.hasOwn(mockOptions, name)) return `--${name} is for mock: rxjs-chat-completions mock --${name}.`;
  if (/^(?:api-?)?(?:key|token)$/.test(name))
    return `Unknown option --${name}: set the key in the environment (OPENAI_API_KEY), where process lists do not show it.`;
  const parameter = name.replaceAll('-', '_');
  return parameters.includes(parameter)
    ? `Unknown option --${name}: use --param ${parameter}=VALUE.`
    : undefined;
}

const notOfMock = (name: string) =>
  Object.hasOwn(turnOptions, name) ? `--${name} does not apply to the mock command.` : undefined;

function noProvider(name: string): string {
  const near = nearest(name, providerNames);
  const what = name.trim() === '' ? '--provider is empty.' : `Unknown provider "${name}".`;
  return near === undefined
    ? `${what} Use --base-url for any other; the built-in ones are ${providerNames.join(', ')}.`
    : `${what} Did you mean ${near}?`;
}

const isProviderName = (name: string): name is ProviderName => Object.hasOwn(builtInProviders, name);

function wholeNumber(option: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value) || Number(value) < least)
    throw new UsageError(`${option} must be a whole number, ${least} or more.`);
  return Number(value);
}

function paramsOf(params: readonly string[]): ChatParams {
  return Object.fromEntries(
    params.map((param) => {
      const [, key, value] = /^([^=]+)=(.*)$/s.exec(param) ?? [];
      if (key === undefined || value === undefined)
        throw new UsageError('--param must have the form KEY=VALUE, such as temperature=0.');
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
