import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { map, type Observable } from 'rxjs';
import { checkPullOptions, pull, type PullOptions } from '../flow/pull.js';
import { wholeCharacters } from '../relay/whole-characters.js';

/** See {@link nodeTransport}: an ECMAScript import reads every export of a module of Node's. */
const load = /* @__PURE__ */ createRequire(process.execPath);

/**
 * A pipeline as a stream of Node's, for `pipeline(readable, response)` and whatever else takes
 * one.
 *
 * The source is subscribed at the first read, and unsubscribed where the stream is destroyed: a client
 * that leaves aborts the turn. Strings become buffers of UTF-8, other values pass as they are (the stream
 * is in object mode). The source's error destroys the stream, once all that came before it was read.
 *
 * With a `demand` that the turns of the source have too, a slow reader slows the provider down: at most
 * `highWaterMark` values wait, and those of one network read. Without it, all that comes is kept until it
 * is read.
 *
 * ```
 * source   ^--(Hel)(lo)---|
 *          toNodeReadable(source)
 * read()   ^---------^----^
 * result   ---Hel----lo---end
 * ```
 *
 * @example
 * ```ts
 * const demand = new Demand();
 * const turn = streamChatCompletions('Why is the sky blue?', { model, provider, demand });
 * pipeline(toNodeReadable(turn.pipe(toServerSentEvents()), { demand }), response, () => {});
 * ```
 *
 * @throws TypeError where `highWaterMark` is no number of at least 1
 */
export function toNodeReadable(source: Observable<unknown>, options: PullOptions = {}): Readable {
  checkPullOptions(options);
  const { Readable: NodeReadable } = load('node:stream') as typeof import('node:stream');
  const values = pull(
    source.pipe(
      wholeCharacters(),
      map((value) => (typeof value === 'string' ? Buffer.from(value) : value)),
    ),
    options,
  );
  // What waits is kept in one place, where it is counted: the stream holds no more than the next value.
  return NodeReadable.from({ [Symbol.asyncIterator]: () => values }, { highWaterMark: 1 });
}
