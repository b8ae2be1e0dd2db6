import { identity, merge, NEVER, type Observable, tap } from 'rxjs';
import { aggregate } from '../operators/aggregate.js';
import { stopWhen } from '../operators/stop-when.js';
import { Demand } from '../flow/demand.js';
import { pull } from '../flow/pull.js';
import type { ChatOptions } from '../options.js';
import type { InputItem, Prompt } from '../prompt/prompt.js';
import { streamChatCompletions } from '../stream-chat-completions.js';
import { InvalidProviderError, MissingApiKeyError } from '../turn/errors.js';
import type { CompletedEvent } from '../turn/events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';
import { aborted } from './aborted.js';
import type { TurnArguments } from './arguments.js';
import { UsageError } from './parse-options.js';
import { jsonPrinter, textPrinter } from './printer.js';
import type { Session } from './session.js';
import { retryNotice, summary } from './wording.js';

/** The outcome of a question. */
export interface Answer {
  readonly turn: Turn;
  readonly end: 'complete' | 'incomplete' | 'stopped' | 'failed';
  /** The error it failed with. */
  readonly error?: unknown;
}

/**
 * Asks, and prints the answer as it arrives, at the reader's pace.
 *
 * @param interrupts - stop the answer and keep the partial text
 * @returns rejects if asking again would fail the same way: the command line or the provider's settings are wrong
 */
export async function ask(
  input: readonly InputItem[],
  args: TurnArguments,
  options: ChatOptions,
  session: Session,
  interrupts: Observable<unknown> = NEVER,
): Promise<Answer> {
  const { io, status, stop } = session;
  const print = args.json ? jsonPrinter(session) : textPrinter(session, args.showReasoning);
  const demand = new Demand();
  let turn = emptyTurn;
  let malformed = 0;
  let completed: CompletedEvent | undefined;

  const prompt: Prompt = { input, ...(args.system !== undefined && { instructions: args.system }) };
  const events = streamChatCompletions(prompt, {
    ...options,
    demand,
    diagnostics: ({ type }) => {
      if (type === 'malformed') malformed += 1;
    },
  }).pipe(
    stopWhen(merge(interrupts, aborted(stop))),
    tap((event) => {
      turn = reduceTurn(turn, event);
      if (event.type === 'retrying') status.note(retryNotice(event));
    }),
    args.aggregate ? aggregate() : identity,
  );
  const iterator = pull(events, { demand });

  const startedAt = io.now();
  status.wait();
  try {
    for await (const event of { [Symbol.asyncIterator]: () => iterator }) {
      if (event.type !== 'retrying') status.clear();
      if (event.type === 'completed') completed = event;
      // Nobody reads the output any more.
      if (!stop.aborted && (args.json || event.type !== 'retrying')) await print.event(event);
    }
  } catch (error) {
    await print.end();
    if (error instanceof InvalidProviderError || error instanceof MissingApiKeyError) throw error;
    return { turn, end: 'failed', error };
  } finally {
    status.clear();
  }
  await print.end();
  if (stop.aborted) return { turn, end: 'stopped' };
  if (malformed > 0) {
    const what =
      malformed === 1 ? '1 event was not JSON and was' : `${malformed} events were not JSON and were`;
    status.note(`${what} skipped.`);
  }
  if (completed === undefined || completed.stopped === true) return { turn, end: 'stopped' };
  status.note(summary(completed, io.now() - startedAt));
  const isComplete = completed.finishReason !== null || completed.endedBy === 'done';
  if (!isComplete)
    status.note('Error: The stream ended without a finish reason or [DONE]: the output is incomplete.');
  return { turn, end: isComplete ? 'complete' : 'incomplete' };
}

/**
 * Reports an argument that the library refuses as a mistake in the command line.
 *
 * @throws UsageError
 */
export function checkOptions(options: ChatOptions): void {
  try {
    // Cold: nothing is sent.
    void streamChatCompletions('', options);
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
}
