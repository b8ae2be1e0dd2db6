import { chatOptionsFromEnv, type TurnOptions } from 'rxjs-chat-completions';
import { nodeTransport } from 'rxjs-chat-completions/node';

export interface Settings {
  /** The provider with its key, retries and limits. Nothing of it is told to a client. */
  readonly turn: TurnOptions;
  /** The models that may be asked for; the first is the one of `/api/chat`. */
  readonly models: readonly [string, ...string[]];
  readonly host: string;
  readonly port: number;
  /** The folder of the front end's files. */
  readonly appDir: string | undefined;
}

/** The largest body of a request, in bytes. */
export const maxBodyBytes = 1_048_576;

/**
 * | variable | |
 * |---|---|
 * | `OPENAI_API_KEY`, `OPENAI_BASE_URL`, ... | the provider: see `chatOptionsFromEnv` |
 * | `CHAT_MODELS` | the models that may be asked for, separated by commas; default: that of `OPENAI_MODEL` |
 * | `HOST`, `PORT` | default `127.0.0.1` and 3000 |
 * | `APP_DIR` | the folder of the front end's files; default: none is served |
 */
export function settingsFromEnv(env: NodeJS.ProcessEnv): Settings {
  const { model = 'gpt-4o-mini', ...turn } = chatOptionsFromEnv(env);
  const models = (env['CHAT_MODELS'] ?? '').split(',').map((name) => name.trim());
  const [first = model, ...others] = models.filter((name) => name !== '');
  return {
    // One transport for all turns: it holds the connections to the provider.
    turn: { ...turn, transport: nodeTransport() },
    models: [first, ...others],
    host: env['HOST'] ?? '127.0.0.1',
    port: Number(env['PORT'] ?? 3000),
    appDir: env['APP_DIR'],
  };
}
