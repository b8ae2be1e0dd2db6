import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { map, type Observable } from 'rxjs';
import { checkPullOptions, pull, type PullOptions } from '../flow/pull.js';
import { wholeCharacters } from '../relay/whole-characters.js';
import { destroyedWithDestinations } from './destroyed-with-destinations.js';

/** See {@link nodeTransport}: an ECMAScript import reads every export of a module of Node's. */
const load = /* @__PURE__ */ createRequire(process.execPath);

/**
 * Converts an Observable to a Node stream, for `pipeline(readable, response)` and whatever else reads one.
 *
 * The first read subscribes, and destroying the stream unsubscribes: a client that leaves aborts the turn.
 * Strings become UTF-8 buffers, other values pass unchanged (the stream is in object mode). An error of the
 * source destroys the stream once everything before it has been read.
 *
 * `pipe(response)` aborts the turn as `pipeline()` does, where the response closes, errors or is ended before the turn: the
 * stream is destroyed with the last destination it is piped to. After `unpipe()` a destination no longer counts. With
 * `pipe(transform).pipe(response)` the transform does not close with the response, and the turn ends after `stallTimeout`
 * only: use `pipeline(readable, transform, response)`.
 *
 * Give the same `demand` to the turns of the source, and a slow reader slows the provider down: at most
 * `highWaterMark` values wait, plus those of one network read. Without it, values are kept until they are
 * read. A reader that reads nothing for `stallTimeout` while values wait ends the source.
 *
 * ```
 * source   ^--(Hel)(lo)---|
 *          nodeReadableFrom(source)
 * read()   ^---------^----^
 * result   ---Hel----lo---end
 * ```
 *
 * @example
 * ```ts
 * const demand = new Demand();
 * const turn = streamChatCompletions('Why is the sky blue?', { model, provider, demand });
 * pipeline(nodeReadableFrom(turn.pipe(toServerSentEvents()), { demand }), response, () => {});
 * ```
 *
 * @throws TypeError if `highWaterMark` or `stallTimeout` is not a number of at least 1
 */
export function nodeReadableFrom(source: Observable<unknown>, options: PullOptions = {}): Readable {
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
  return destroyedWithDestinations(
    NodeReadable.from({ [Symbol.asyncIterator]: () => values }, { highWaterMark: 1 }),
  );
}
