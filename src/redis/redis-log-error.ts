import { ChatCompletionsError } from '../turn/errors.js';

/** Redis errors that a retry cannot fix. All others are temporary: a connection, a restart, a failover. */
const refusals = ['ERR', 'NOAUTH', 'NOPERM', 'WRONGPASS', 'WRONGTYPE', 'CROSSSLOT', 'CLOSED', 'REPLY'];

/**
 * Redis could not be reached, or refused a command.
 *
 * What to do: see `code`. While Redis cannot be reached, followers wait and running turns continue. Refusals
 * are about permissions (`NOPERM`), a key of another type (`WRONGTYPE`), or keys in several slots (`CROSSSLOT`:
 * set `cluster`).
 */
export class RedisLogError extends ChatCompletionsError {
  override get name() {
    return 'RedisLogError' as const;
  }

  /**
   * @param command - the command's name
   * @param code - the code from Redis (`NOPERM`) or the platform (`ECONNREFUSED`), `TIMEOUT` if there was no
   * reply in time, `CONNECTION` for any other failure of the client, `CLOSED` after `close()`
   */
  constructor(
    readonly command: string,
    readonly code: string,
  ) {
    super(`Redis ${refusals.includes(code) ? 'refused' : 'could not be reached for'} ${command} (${code}).`);
  }
}

/** Whether the same command may succeed later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof RedisLogError && !refusals.includes(error.code);
