import { map, type Observable } from 'rxjs';
import { checkPullOptions, pull, type PullOptions } from '../flow/pull.js';
import { wholeCharacters } from './whole-characters.js';

/** What a stream gives for a value: strings become UTF-8, as the body of a `Response` wants them. */
export type Encoded<T> = T extends string ? ReturnType<TextEncoder['encode']> : T;

/**
 * A pipeline as a web stream: the body of a `Response`, or anything else that takes one.
 *
 * The source is subscribed at the first read, and unsubscribed where the stream is cancelled: a client
 * that leaves aborts the turn. Strings become UTF-8, other values pass as they are. The source's error
 * errors the stream, once all that came before it was read.
 *
 * With a `demand` that the turns of the source have too, a slow reader slows the provider down: at most
 * `highWaterMark` values wait, and those of one network read. Without it, all that comes is kept until it
 * is read.
 *
 * ```
 * source   ^--(Hel)(lo)---|
 *          toReadableStream(source)
 * read()   ^---------^----^
 * result   ---Hel----lo---close
 * ```
 *
 * @example
 * ```ts
 * const demand = new Demand();
 * const turn = streamChatCompletions('Why is the sky blue?', { model, provider, demand });
 * return new Response(toReadableStream(turn.pipe(toServerSentEvents()), { demand }), {
 *   headers: { 'content-type': 'text/event-stream' },
 * });
 * ```
 *
 * @throws TypeError where `highWaterMark` is no number of at least 1
 */
export function toReadableStream<T>(
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
    // What waits is kept in one place, where it is counted, and nothing is asked for before it is read.
    { highWaterMark: 0 },
  );
}
