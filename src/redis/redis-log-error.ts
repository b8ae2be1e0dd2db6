import { ChatCompletionsError } from '../turn/errors.js';

/** What Redis says where asking again is of no use. All else passes: a connection, a restart, a failover. */
const refusals = ['ERR', 'NOAUTH', 'NOPERM', 'WRONGPASS', 'WRONGTYPE', 'CROSSSLOT', 'CLOSED', 'REPLY'];

/**
 * Redis could not be reached, or has refused a command.
 *
 * What to do: while it cannot be reached, followers wait, and the turns that run go on. A refusal is one of rights
 * (`NOPERM`), of a key that holds something else (`WRONGTYPE`), or of keys in several slots (`CROSSSLOT`: `cluster`).
 */
export class RedisLogError extends ChatCompletionsError {
  override get name() {
    return 'RedisLogError' as const;
  }

  /**
   * @param command - the command's name
   * @param code - the code of Redis (`NOPERM`) or of the platform (`ECONNREFUSED`), `TIMEOUT` where no reply came in time,
   * `CONNECTION` for any other trouble of the client, `CLOSED` after `close()`
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
