import { chatOptionsFromEnv } from '../chat-options-from-env.js';
import { eventsOf, readRecording } from '../mock-provider/answers-from-file.js';
import { type MockProvider, startMockProvider } from '../mock-provider/index.js';
import type { ChatOptions } from '../options.js';
import { builtInProviders } from '../provider/built-in-providers.js';
import type { ModelProvider } from '../provider/model-provider.js';
import { defaultPace, openAiModel, type TurnArguments } from './arguments.js';
import { UsageError } from './parse-options.js';

/** The name of a provider that is given only by `--base-url`. */
export const nameless = '--base-url';

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings for a turn. */
export interface Configuration {
  readonly options: ChatOptions;
  /** Whether the embedded provider answers because none was named. */
  readonly isEmbedded: boolean;
  readonly close: () => Promise<void>;
}

/**
 * Chooses the provider and its settings.
 *
 * @throws UsageError if the arguments and the environment do not determine them
 */
export async function configure(args: TurnArguments, env: Environment): Promise<Configuration> {
  const { provider, model, isEmbedded, mock } = await choose(args, env);
  const { retry, idleTimeout } = fromEnvironment(env);
  const maxRetries = args.maxRetries ?? retry?.maxRetries;
  const idle = args.idleTimeout ?? idleTimeout;
  return {
    isEmbedded,
    options: {
      provider,
      model,
      params: args.params,
      includeUsage: args.usage || isEmbedded,
      includeRetries: true,
      ...(maxRetries !== undefined && { retry: { maxRetries } }),
      ...(idle !== undefined && { idleTimeout: idle }),
    },
    close: async () => mock?.close(),
  };
}

interface Choice {
  readonly provider: ModelProvider;
  readonly model: string;
  readonly isEmbedded: boolean;
  readonly mock?: MockProvider;
}

async function choose(args: TurnArguments, env: Environment): Promise<Choice> {
  const pace = args.pace ?? defaultPace;
  // The variable is set but empty: do not fall back to another place.
  if (args.baseUrl?.trim() === '') throw new UsageError('--base-url is empty.');
  if (args.replay !== undefined) {
    const body = eventsOf(await readRecording(args.replay));
    const mock = await startMockProvider({ answers: () => ({ body }), pace });
    return { ...local('replay', mock, args), isEmbedded: false };
  }
  const named = args.isDemo && args.provider === undefined ? {} : env;
  const fromEnv = fromEnvironment(
    args.baseUrl === undefined ? named : { ...named, OPENAI_BASE_URL: args.baseUrl },
  );
  if (args.provider !== undefined) {
    const provider: ModelProvider = builtInProviders[args.provider];
    const key = provider.envKey === undefined ? undefined : env[provider.envKey];
    const isOpenAi = args.provider === 'openai';
    return {
      provider: {
        ...provider,
        ...(args.baseUrl !== undefined && { baseUrl: args.baseUrl }),
        ...(key !== undefined && { apiKey: key }),
      },
      // OPENAI_MODEL names a model of OpenAI, or of the server that replaces it.
      model: required(args.model ?? (isOpenAi ? (fromEnv.model ?? openAiModel) : undefined)),
      isEmbedded: false,
    };
  }
  const isOpenAi = fromEnv.provider.baseUrl === builtInProviders.openai.baseUrl;
  if (isOpenAi && fromEnv.provider.apiKey === undefined) {
    const mock = await startMockProvider({ pace });
    return { ...local('mock', mock, args), isEmbedded: true };
  }
  return {
    provider: args.baseUrl === undefined ? fromEnv.provider : { ...fromEnv.provider, name: nameless },
    model: required(args.model ?? fromEnv.model ?? (isOpenAi ? openAiModel : undefined)),
    isEmbedded: false,
  };
}

const local = (name: string, mock: MockProvider, args: TurnArguments) => ({
  mock,
  provider: { name, baseUrl: mock.baseUrl },
  model: args.model ?? name,
});

function required(model: string | undefined): string {
  if (model === undefined || model.trim() === '')
    throw new UsageError('No model given. Set one with --model.');
  return model;
}

function fromEnvironment(env: Environment) {
  try {
    return chatOptionsFromEnv(env);
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
}
