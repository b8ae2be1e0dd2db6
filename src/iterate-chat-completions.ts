import { Demand } from './flow/demand.js';
import type { ResponseEvent } from './turn/events.js';
import { pull } from './flow/pull.js';
import { chatChecks, type ChatOptions, type Checks, limit } from './options.js';
import type { Prompt } from './prompt/prompt.js';
import { requestBody, streamTurn } from './stream-chat-completions.js';

export interface IterateOptions extends ChatOptions {
  /** The network is not read while this many events wait for the consumer. Default 16. */
  readonly highWaterMark?: number | undefined;
  /**
   * How long an event may wait for the consumer, in milliseconds, before the request is aborted. A consumer
   * that comes back gets the waiting events, then a `StallTimeoutError`. Default 300,000; `Infinity`: no limit.
   */
  readonly stallTimeout?: number | undefined;
}

const iterateChecks: Checks<IterateOptions> = /* @__PURE__ */ Object.assign(
  { highWaterMark: limit, stallTimeout: limit },
  chatChecks,
);

/**
 * One model turn as an async iterable with backpressure, for consumers slower than the network: an Observable
 * would have to buffer without bound.
 *
 * The first `next()` sends the request, and each iterator is a separate request. While `highWaterMark` events
 * wait, the network is not read: the provider slows down, and at most those events plus one network read are
 * held in memory. The idle timeout is paused meanwhile. `break`, `return` and `throw` abort the request. So
 * does a consumer that asks for nothing for `stallTimeout` while events wait, so an abandoned iterator never
 * keeps a connection open.
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
 * @throws TypeError if an argument has the wrong type
 */
export function iterateChatCompletions(
  prompt: Prompt | string,
  options: IterateOptions,
): AsyncIterable<ResponseEvent> {
  const body = requestBody(prompt, options, iterateChecks);
  const { highWaterMark, stallTimeout, scheduler } = options;
  const iterator = () => {
    const { demand = new Demand({ stallTimeout }) } = options;
    const turn = streamTurn(body, { ...options, demand }, options.params?.n);
    return pull(turn, { demand, highWaterMark, stallTimeout, scheduler });
  };
  return { [Symbol.asyncIterator]: iterator };
}
