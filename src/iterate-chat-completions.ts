import { asyncScheduler, Observable, type Subscription } from 'rxjs';
import type { ResponseEvent } from './events.js';
import type { ChatOptions } from './options.js';
import type { Prompt } from './prompt/prompt.js';
import { pausableClock } from './response/pausable-clock.js';
import { requestBody, streamTurn } from './stream-chat-completions.js';

export interface IterateOptions extends ChatOptions {
  /** The network is not read while this many events wait for the consumer. Default 16. */
  readonly highWaterMark?: number | undefined;
}

/**
 * One model turn, pulled: for consumers slower than the network, which an Observable would have to
 * buffer for without bound.
 *
 * The request is sent at the first `next()`, and each iterator is a turn of its own. While
 * `highWaterMark` events wait, the network is not read, so the provider is slowed down and memory
 * stays flat: at most those events wait, and the ones of one read. The idle limit's clock stands still
 * meanwhile. `break`, `return` and `throw` abort the request.
 *
 * ```
 * read      --(abcd)--------------(ef)--|      highWaterMark: 2
 * next()    ^-----^---^---^---^-----^---^
 * result    --a---b---c---d-------e-f---done
 * ```
 *
 * @example
 * ```ts
 * for await (const event of iterateChatCompletions('Hi', { model, provider })) await store(event);
 * ```
 *
 * @returns an iterable that rejects with the errors of `streamChatCompletions`
 * @throws TypeError where an argument is of the wrong type
 */
export function iterateChatCompletions(
  prompt: Prompt | string,
  options: IterateOptions,
): AsyncIterable<ResponseEvent> {
  const body = requestBody(prompt, options);
  const { highWaterMark = 16 } = options;
  if (!(highWaterMark >= 1)) throw new TypeError('options.highWaterMark must be a number of at least 1.');
  return { [Symbol.asyncIterator]: () => pullTurn(body, options, highWaterMark) };
}

interface Request {
  resolve(result: IteratorResult<ResponseEvent, undefined>): void;
  reject(error: unknown): void;
}

function pullTurn(
  body: string,
  options: ChatOptions,
  highWaterMark: number,
): AsyncIterator<ResponseEvent, undefined> {
  const clock = pausableClock(options.scheduler ?? asyncScheduler);
  /** Events that nobody has asked for yet; never filled together with `requests`. */
  const events: ResponseEvent[] = [];
  const requests: Request[] = [];
  let turn: Subscription | undefined;
  let end: { readonly error?: unknown } | undefined;
  let readOn: (() => void) | undefined;

  const demand = () =>
    new Observable<void>((subscriber) => {
      // After the end only the connection is read, so that it can be used again: nothing of it waits.
      if (end !== undefined || events.length < highWaterMark) {
        subscriber.next();
        return undefined;
      }
      clock.pause();
      readOn = () => subscriber.next();
      return () => {
        readOn = undefined;
        clock.resume();
      };
    });

  function settle(request: Request): void {
    const event = events.shift();
    if (event !== undefined) {
      if (events.length < highWaterMark) readOn?.();
      request.resolve({ done: false, value: event });
      return;
    }
    if (end === undefined) {
      requests.push(request);
      return;
    }
    const reason = end;
    // An error is told once; after it the iteration is over.
    end = {};
    if ('error' in reason) request.reject(reason.error);
    else request.resolve({ done: true, value: undefined });
  }

  function finish(reason: { readonly error?: unknown }): void {
    end ??= reason;
    readOn?.();
    for (const request of requests.splice(0)) settle(request);
  }

  function abort(): void {
    events.length = 0;
    end = {};
    turn?.unsubscribe();
    finish({});
  }

  return {
    next: () =>
      new Promise((resolve, reject) => {
        turn ??= end === undefined ? start() : undefined;
        settle({ resolve, reject });
      }),
    return: async () => {
      abort();
      return { done: true, value: undefined };
    },
    throw: async (error: unknown) => {
      abort();
      throw error;
    },
  };

  function start(): Subscription {
    return streamTurn(body, options, { demand, clock }).subscribe({
      next: (event) => {
        const request = requests.shift();
        if (request === undefined) events.push(event);
        else request.resolve({ done: false, value: event });
      },
      error: (error: unknown) => finish({ error }),
      complete: () => finish({}),
    });
  }
}
