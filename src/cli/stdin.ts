import type { Readable } from 'node:stream';
import {
  defer,
  EMPTY,
  map,
  Observable,
  of,
  type OperatorFunction,
  pipe,
  reduce,
  type SchedulerLike,
  takeUntil,
  throwError,
  timeout,
} from 'rxjs';
import { aborted } from './aborted.js';
import type { TurnArguments } from './arguments.js';
import type { MaybeTerminal } from './outlet.js';
import { UsageError } from './parse-options.js';

/** How long stdin may be silent if a prompt was also given, in milliseconds. */
export const stdinWait = 3_000;

/** Maximum size of stdin, in bytes: more than any model reads. */
export const maxStdin = 8 * 1_024 * 1_024;

const tooLarge = () => new Error(`stdin is larger than ${maxStdin / 1_024 / 1_024} MiB.`);

const unreadable = ({ code }: NodeJS.ErrnoException) =>
  new Error(`Could not read stdin${code === undefined ? '' : ` (${code})`}.`);

interface StdinIo {
  readonly stdin: MaybeTerminal<Readable>;
  /** Times the wait for the first byte. */
  readonly scheduler?: SchedulerLike | undefined;
  /** Stops reading. */
  readonly stop: AbortSignal;
  /** Called if the prompt is sent without stdin. */
  readonly onSilence: () => void;
}

/**
 * The prompt: the argument, stdin, or both with a blank line between them.
 *
 * A pipe does not show whether anything will arrive. If stdin was not explicitly requested, its first byte, or its end,
 * must arrive within {@link stdinWait}. Completes without a value if it is stopped.
 *
 * ```
 * stdin     ------d-i-f|            stdin     -------------------
 * result    ----------(p|)          result    -----------(p|)       after stdinWait, without stdin
 * ```
 *
 * @returns an error, such as a UsageError, if there is no prompt
 */
export function promptOf(
  { prompt = '', stdin: use }: TurnArguments,
  { stdin, scheduler, stop, onSilence }: StdinIo,
): Observable<string> {
  if (use === 'ignored' || (use === 'optional' && stdin.isTTY === true)) return of(prompt);
  if (prompt === '' && stdin.isTTY === true)
    return throwError(() => new UsageError('Pass a prompt as an argument or on stdin.'));
  const silent = () => {
    onSilence();
    return EMPTY;
  };
  return chunks(stdin).pipe(
    use === 'optional'
      ? timeout({ first: stdinWait, with: silent, ...(scheduler && { scheduler }) })
      : pipe(),
    wholeText(),
    map((text) => {
      if (text.trim() !== '') return prompt === '' ? text : `${prompt}\n\n${text}`;
      if (use === 'required')
        throw new UsageError('The prompt is empty: pass one as an argument or on stdin.');
      return prompt;
    }),
    takeUntil(aborted(stop)),
  );
}

/** The content of a stream, which is then destroyed, since nobody else reads it. */
const chunks = (stream: Readable): Observable<Buffer> =>
  new Observable((subscriber) => {
    stream
      .on('data', (chunk: Uint8Array | string) => subscriber.next(Buffer.from(chunk as string)))
      .once('end', () => subscriber.complete())
      .once('close', () => subscriber.complete())
      // Keep this listener: an unhandled error after the end would end the process.
      .on('error', (error: Error) => subscriber.error(unreadable(error)));
    return () => stream.destroy();
  });

/** The whole content as one text, without the final line feed. */
const wholeText = (): OperatorFunction<Buffer, string> => (source) =>
  defer(() => {
    const parts: Buffer[] = [];
    return source.pipe(
      reduce((size, part) => {
        if (size + part.length > maxStdin) throw tooLarge();
        parts.push(part);
        return size + part.length;
      }, 0),
      map(() => new TextDecoder().decode(Buffer.concat(parts)).replace(/\r?\n$/, '')),
    );
  });

/** The lines of a stream, read on demand. Ends when it is stopped. */
export async function* linesOf(stream: Readable, stop: AbortSignal): AsyncGenerator<string, undefined> {
  const leave = () => stream.destroy();
  stop.addEventListener('abort', leave);
  if (stop.aborted) leave();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of stream) {
      const text = decoder.decode(Buffer.from(chunk as string), { stream: true });
      const [first = '', ...others] = text.split('\n');
      rest += first;
      for (const next of others) {
        yield rest.replace(/\r$/, '');
        rest = next;
      }
      if (rest.length > maxStdin) break;
    }
  } catch (error) {
    // A destroyed stream breaks off.
    if (!stop.aborted) throw unreadable(error as Error);
    return undefined;
  } finally {
    stop.removeEventListener('abort', leave);
  }
  if (rest.length > maxStdin) throw tooLarge();
  rest += decoder.decode();
  if (rest !== '') yield rest;
  return undefined;
}
