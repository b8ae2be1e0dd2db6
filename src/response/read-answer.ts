import { finalize, identity, type Observable, type SchedulerLike } from 'rxjs';
import type { ModelProvider } from '../provider/model-provider.js';
import type { Answer } from '../request/send-request.js';
import { cleanFailure } from '../request/secrets.js';
import type { TurnDiagnostics } from '../turn/diagnostics.js';
import { StreamError } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { bodyReader } from './body-reader.js';
import { idleTimeout } from './idle-timeout.js';
import { readEvents } from './read-events.js';
import { defaultFinishTimeout, toResponseEvents } from './to-response-events.js';

export interface ReadAnswerOptions {
  readonly options: {
    /** What counts as a sign of life: a read that completes an event, or any read. Default `'events'`. */
    readonly idleOn?: 'events' | 'bytes' | undefined;
    readonly maxEventSize?: number | undefined;
    readonly maxEventValues?: number | undefined;
    readonly includeChunks?: boolean | undefined;
    readonly random?: (() => number) | undefined;
    /** How long to wait for more after the finish reason, in milliseconds. Default 10,000. */
    readonly finishTimeout?: number | undefined;
  };
  readonly provider: Pick<ModelProvider, 'name' | 'deltas'>;
  /** How many choices the request asked for. */
  readonly choiceCount: number;
  readonly idleTimeout: number;
  readonly scheduler: SchedulerLike;
  /** The backpressure on the provider, which pauses the timeouts. It is told when `[DONE]` arrives. */
  readonly demand: { readonly clock: SchedulerLike; end(): void } | undefined;
  readonly log: TurnDiagnostics;
}

/**
 * Reads a response: from bytes to the events of a turn.
 *
 * ```
 * body     --"data: a\n\nda"--"ta: b\n\n"-----"data: [DONE]\n\n"---|
 *          readEvents()
 * events   --[a]--------------[b]-------------([D]|)
 *          idleTimeout()
 * events   --[a]--------------[b]-------------([D]|)
 *          toResponseEvents()
 * result   --A----------------B---------------(completed|)
 * ```
 *
 * @see docs/decisions/0007-three-stages.md
 */
export function readAnswer(turn: ReadAnswerOptions): (answer: Answer) => Observable<ResponseEvent> {
  const { options, demand, log, scheduler } = turn;
  const { finishTimeout = defaultFinishTimeout } = options;
  return ({ response: { status, headers, body }, redact, admission }) =>
    body.pipe(
      // Bytes -> the server-sent events that each network read completes, until [DONE].
      readEvents(
        () =>
          bodyReader({
            status,
            contentType: headers.get('content-type'),
            maxEventSize: options.maxEventSize,
            maxEventValues: options.maxEventValues,
            redact,
            onComment: log.comment,
          }),
        {
          pass: options.idleOn,
          scheduler,
          onEvents: log.events,
          onDone: () => demand?.end(),
          errorOf: (error) => cleanFailure(error, redact, (cause) => new StreamError({ cause })),
        },
      ),
      // RxJS's timeout({ each }), around the reads.
      idleTimeout(turn.idleTimeout, demand?.clock ?? scheduler),
      // Server-sent events -> ResponseEvents, with `completed` when they end or fall silent after the finish reason.
      toResponseEvents({
        includeChunks: options.includeChunks,
        maxEventValues: options.maxEventValues,
        choiceCount: turn.choiceCount,
        deltas: turn.provider.deltas,
        provider: turn.provider.name,
        random: options.random,
        finishTimeout: Math.min(finishTimeout, turn.idleTimeout),
        scheduler: demand?.clock ?? scheduler,
        redact,
        onMalformed: log.malformed,
        onNameless: log.nameless,
        onBreak: log.broken,
      }),
      admission === undefined ? identity : finalize(() => admission.unsubscribe()),
    );
}
