import { map, type Observable } from 'rxjs';
import { checkPullOptions, pull, type PullOptions } from '../flow/pull.js';
import { wholeCharacters } from './whole-characters.js';

// `Uint8Array<ArrayBuffer>`, or `Uint8Array` before TypeScript 5.7. Not through `TextEncoder`, whose type needs
// the DOM library.
/** The stream's chunk type for a value: strings become UTF-8, as the body of a `Response` requires. */
export type Encoded<T> = T extends string ? ReturnType<typeof Uint8Array.of> : T;

/**
 * Converts an Observable to a web stream, such as the body of a `Response`.
 *
 * The first read subscribes, and cancelling the stream unsubscribes, so a client that disconnects aborts the
 * turn. Strings become UTF-8, other values pass unchanged. An error of the source errors the stream once
 * everything before it has been read.
 *
 * Pass the same `demand` to the turns of the source so that a slow reader slows the provider down: at most
 * `highWaterMark` values wait, plus those of one network read. Without it, values are kept until they are read.
 * If the reader reads nothing for `stallTimeout` while values wait, the source is unsubscribed.
 *
 * ```
 * source   ^--(Hel)(lo)---|
 *          readableStreamFrom(source)
 * read()   ^---------^----^
 * result   ---Hel----lo---close
 * ```
 *
 * @example
 * ```ts
 * const demand = new Demand();
 * const turn = streamChatCompletions('Why is the sky blue?', { model, provider, demand });
 * return new Response(readableStreamFrom(turn.pipe(toServerSentEvents()), { demand }), {
 *   headers: { 'content-type': 'text/event-stream' },
 * });
 * ```
 *
 * @throws TypeError if `highWaterMark` or `stallTimeout` is not a number of at least 1
 */
export function readableStreamFrom<T>(
  source: Observable<T>,
  options: PullOptions = {},
): ReadableStream<Encoded<T>> {
  checkPullOptions(options);
  const encoder = new TextEncoder();
  const values = pull(
    source.pipe(
      wholeCharacters(),
      map((value) => (typeof value === 'string' ? encoder.encode(value) : value) as Encoded<T>),
    ),
    options,
  );
  return new ReadableStream<Encoded<T>>(
    {
      // A rejection errors the stream.
      async pull(controller) {
        const result = await values.next();
        if (result.done === true) controller.close();
        else controller.enqueue(result.value);
      },
      async cancel() {
        await values.return();
      },
    },
    // Values wait in one counted queue, and nothing is requested before it is read.
    { highWaterMark: 0 },
  );
}
