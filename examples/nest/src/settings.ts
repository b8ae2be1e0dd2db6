import { chatOptionsFromEnv, type TurnOptions } from 'rxjs-chat-completions';
import { nodeTransport } from 'rxjs-chat-completions/node';

export interface Settings {
  /** The provider with its key, retries and limits. Nothing of it is told to a client. */
  readonly turn: TurnOptions;
  /** The models that may be asked for; the first is the one of `/api/chat`. */
  readonly models: readonly [string, ...string[]];
  /** The longest answer that may be asked for, in tokens. */
  readonly maxTokens: number;
  readonly host: string;
  readonly port: number;
  readonly limits: ServerLimits;
  /** Where shared turns are kept; `undefined`: in this process. */
  readonly redisUrl: string | undefined;
  /** The folder of the front end's files. */
  readonly appDir: string | undefined;
}

/** How long a request may take to arrive, in milliseconds; how often that is looked at. Node answers 408. */
export interface ServerLimits {
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
}

/** The largest body of a request, in bytes. */
export const maxBodyBytes = 1_048_576;

/**
 * | variable | |
 * |---|---|
 * | `OPENAI_API_KEY`, `OPENAI_BASE_URL`, ... | the provider: see `chatOptionsFromEnv` |
 * | `CHAT_MODELS` | the models that may be asked for, separated by commas; default: that of `OPENAI_MODEL` |
 * | `CHAT_MAX_TOKENS` | the longest answer that may be asked for; default 4,096 |
 * | `REQUEST_TIMEOUT_MS` | how long a request may take to arrive; default 10,000 |
 * | `HOST`, `PORT` | default `127.0.0.1` and 3000 |
 * | `REDIS_URL` | `redis://…`, or `unix:` and the path of a socket; default: none, for one instance |
 * | `APP_DIR` | the folder of the front end's files; default: none is served |
 */
export function settingsFromEnv(env: NodeJS.ProcessEnv): Settings {
  const { model = 'gpt-4o-mini', ...turn } = chatOptionsFromEnv(env);
  const models = (env['CHAT_MODELS'] ?? '').split(',').map((name) => name.trim());
  const [first = model, ...others] = models.filter((name) => name !== '');
  const requestTimeout = Number(env['REQUEST_TIMEOUT_MS'] ?? 10_000);
  return {
    // One transport for all turns: it holds the connections to the provider.
    turn: { ...turn, transport: nodeTransport() },
    models: [first, ...others],
    maxTokens: Number(env['CHAT_MAX_TOKENS'] ?? 4_096),
    limits: { requestTimeout, connectionsCheckingInterval: requestTimeout / 10 },
    host: env['HOST'] ?? '127.0.0.1',
    port: Number(env['PORT'] ?? 3000),
    redisUrl: env['REDIS_URL'],
    appDir: env['APP_DIR'],
  };
}
