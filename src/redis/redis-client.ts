import {
  catchError,
  concat,
  defer,
  finalize,
  from,
  NEVER,
  Observable,
  of,
  type SchedulerLike,
  tap,
  throwError,
  timeout,
  TimeoutError,
} from 'rxjs';
import { platformCode, propertyOf } from '../turn/errors.js';
import { RedisLogError } from './redis-log-error.js';

/**
 * The part of a Redis client that a log uses. A client of `@redis/client` fits; ioredis needs one line:
 *
 * ```ts
 * const commands = (io: Redis) => ({ sendCommand: ([name = '', ...args]: string[]) => io.call(name, ...args) });
 * redisLog(commands(io), { reader: commands(io.duplicate()) });
 * ```
 *
 * A cluster of `@redis/client` needs the key of each command, and `cluster: true`:
 *
 * ```ts
 * const keyOf = (args: string[]) => (args[0] === 'XREAD' ? args[args.indexOf('STREAMS') + 1] : args[1]);
 * const commands = (cluster: RedisClusterType): RedisClient & RedisConnection => ({
 *   sendCommand: (args, options) => cluster.sendCommand(keyOf(args), false, args, options),
 *   connect: () => cluster.connect(),
 *   destroy: () => cluster.destroy(),
 *   on: (event, listener) => cluster.on(event, listener),
 *   duplicate: () => commands(cluster.duplicate()),
 * });
 * ```
 *
 * The client decides whether and when to reconnect. To notice dead connections it needs a `socketTimeout` of
 * some seconds; blocking reads reconnect by themselves.
 */
export interface RedisCommands {
  /**
   * Sends a command.
   *
   * @param options - `abortSignal`: nobody waits for the reply any more, so a queued command need not be sent
   */
  sendCommand(args: string[], options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
}

/** A client that can open more connections, such as one of `@redis/client`. */
export interface RedisClient extends RedisCommands {
  duplicate?(): RedisConnection;
}

/** A connection that the log opens and closes. */
export interface RedisConnection extends RedisCommands {
  connect(): Promise<unknown>;
  destroy(): unknown;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
}

/** The code for an entry whose id is not higher than the last one's. */
export const notHigher = 'NOTHIGHER';

/** How long connecting may take, in milliseconds, before another connection is opened. */
const connectTimeout = 10_000;

/** Sends a command. Unsubscribing cancels it if it was not sent yet. */
export const command = (
  client: RedisCommands,
  args: string[],
  limit: number,
  scheduler: SchedulerLike,
): Observable<unknown> =>
  defer(() => {
    const abort = new AbortController();
    // Abort only commands that nobody waits for, since aborting creates an error with a stack.
    let isAnswered = false;
    return from(client.sendCommand(args, { abortSignal: abort.signal })).pipe(
      timeout({ first: limit, scheduler }),
      catchError((error: unknown) => throwError(() => new RedisLogError(args[0] ?? '', reasonOf(error)))),
      tap({ next: () => (isAnswered = true) }),
      finalize(() => {
        if (!isAnswered) abort.abort();
      }),
    );
  });

/** The code at the start of a Redis error's message, or the platform's code. The rest may quote a command. */
function reasonOf(error: unknown): string {
  if (error instanceof TimeoutError) return 'TIMEOUT';
  const message = String(propertyOf(error, 'message'));
  const [, reply] = /^([A-Z]{2,16})(?: |$)/.exec(message) ?? [];
  if (reply === 'ERR') {
    if (message.includes('equal or smaller')) return notHigher;
    if (message.includes('max number of clients')) return 'MAXCLIENTS';
  }
  return reply ?? platformCode(error) ?? 'CONNECTION';
}

/** Opens a separate connection; unsubscribing closes it. */
export const opened = (client: RedisClient, scheduler: SchedulerLike): Observable<RedisCommands> =>
  new Observable<RedisCommands>((subscriber) => {
    const connection = client.duplicate?.();
    if (connection === undefined) return undefined;
    // Commands report errors; without a listener, they would end the process.
    connection.on?.('error', () => undefined);
    subscriber.add(
      concat(
        defer(() => connection.connect()).pipe(
          timeout({ first: connectTimeout, scheduler }),
          catchError(() => throwError(() => new RedisLogError('connect', 'CONNECTION'))),
        ),
        NEVER,
      ).subscribe({
        next: () => subscriber.next(connection),
        error: (error: unknown) => subscriber.error(error),
      }),
    );
    return () => {
      try {
        connection.destroy();
      } catch {
        // It is closed already.
      }
    };
  });

/** An existing connection. */
export const given = (reader: RedisCommands): Observable<RedisCommands> => concat(of(reader), NEVER);
