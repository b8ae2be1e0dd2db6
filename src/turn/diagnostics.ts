import { identity, type MonoTypeOperatorFunction, noop, tap } from 'rxjs';
import { className, type RequestFailure } from './errors.js';
import type { ResponseEvent, TokenUsage } from './events.js';
import { type HttpHeaders, requestIdOf } from './wire.js';

/**
 * What happened inside a turn, for logs and metrics. None holds a key, a prompt or an answer.
 *
 * `turn` counts the subscriptions that report to one listener, from 1; `attempt` counts the requests
 * of one turn, from 1.
 */
export type Diagnostic = DiagnosticReport & { readonly turn: number; readonly attempt: number };

export type DiagnosticReport =
  | RequestDiagnostic
  | ResponseDiagnostic
  | RetryDiagnostic
  | MalformedDiagnostic
  | NamelessCallDiagnostic
  | BreakDiagnostic
  | EndDiagnostic;

/** A request is about to be sent. */
export interface RequestDiagnostic {
  readonly type: 'request';
  /** Without its query, which may hold a key. */
  readonly url: string;
  /** Length of the body, in UTF-16 code units. */
  readonly bodyLength: number;
}

/** An answer has come, whatever its status. */
export interface ResponseDiagnostic {
  readonly type: 'response';
  readonly status: number;
  readonly requestId: string | undefined;
  /** The answer's `x-ratelimit-*` and `retry-after*` headers, by their lower-case names. */
  readonly rateLimits: Readonly<Record<string, string>>;
}

/** A request failed and another follows. */
export interface RetryDiagnostic {
  readonly type: 'retry';
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  readonly error: RequestFailure;
}

/** The data of an event was no JSON object; it was skipped. */
export interface MalformedDiagnostic {
  readonly type: 'malformed';
  /** Length of the data, in UTF-16 code units. */
  readonly length: number;
  /** Which event of the stream it was, counted from 0. */
  readonly position: number;
}

/** A tool call never got a name; it was not emitted. */
export interface NamelessCallDiagnostic {
  readonly type: 'nameless-call';
  /** Length of its arguments, in UTF-16 code units. */
  readonly length: number;
}

/** The connection broke after the finish reason: the answer is whole, and the turn completes. */
export interface BreakDiagnostic {
  readonly type: 'break';
  /** The `name` of the error. */
  readonly error: string;
}

/** The turn is over. */
export interface EndDiagnostic {
  readonly type: 'end';
  readonly outcome: 'completed' | 'error' | 'unsubscribed';
  /** The `name` of the error, where one ended the turn. */
  readonly error: string | undefined;
  /** Server-sent events that arrived. */
  readonly events: number;
  /** Comments among them, such as keep-alives. */
  readonly comments: number;
  readonly malformed: number;
  /** What the answer cost, where its stream told that. */
  readonly usage: TokenUsage | undefined;
}

export type DiagnosticsListener = (diagnostic: Diagnostic) => void;

/** One turn's line to a listener. */
export interface TurnDiagnostics {
  /** `redact` takes the secrets out of the URL's path, and of what the answer's headers say. */
  readonly request: (
    attempt: number,
    request: { readonly url: string; readonly body: string },
    redact?: (text: string) => string,
  ) => void;
  readonly response: (
    response: { readonly status: number; readonly headers: HttpHeaders },
    redact?: (text: string) => string,
  ) => void;
  readonly retry: (retry: { readonly delay: number; readonly error: RequestFailure }) => void;
  readonly events: (count: number) => void;
  readonly comment: () => void;
  readonly malformed: (event: { readonly length: number; readonly position: number }) => void;
  readonly nameless: (call: { readonly length: number }) => void;
  readonly broken: (error: unknown) => void;
  readonly end: (outcome: EndDiagnostic['outcome'], error?: unknown, usage?: TokenUsage | null) => void;
}

/** The line of a turn that nobody listens to. */
const silent: TurnDiagnostics = {
  request: noop,
  response: noop,
  retry: noop,
  events: noop,
  comment: noop,
  malformed: noop,
  nameless: noop,
  broken: noop,
  end: noop,
};

const turns = /* @__PURE__ */ new WeakMap<DiagnosticsListener, number>();

const rateLimitHeaders = [
  'retry-after',
  'retry-after-ms',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
];

/** How much of a header is told, in characters. */
const longestHeader = 64;

/** Opens a turn's line to a listener. What the listener throws is dropped: it never touches the turn. */
export function diagnose(listener: DiagnosticsListener | undefined): TurnDiagnostics {
  return listener === undefined ? silent : lineTo(listener);
}

function lineTo(listener: DiagnosticsListener): TurnDiagnostics {
  const turn = (turns.get(listener) ?? 0) + 1;
  turns.set(listener, turn);
  let attempt = 0;
  let isOver = false;
  const counts = { events: 0, comments: 0, malformed: 0 };

  function report(diagnostic: DiagnosticReport): void {
    try {
      listener({ ...diagnostic, turn, attempt });
    } catch {
      // A listener that fails is its owner's problem, not the turn's.
    }
  }

  return {
    request(count, { url, body }, redact = identity) {
      attempt = count;
      report({ type: 'request', url: redact(url.replace(/\?.*/s, '')), bodyLength: body.length });
    },
    response({ status, headers }, redact = identity) {
      const rateLimits: Record<string, string> = {};
      for (const name of rateLimitHeaders) {
        const value = headers.get(name);
        if (value !== null) rateLimits[name] = redact(value).slice(0, longestHeader);
      }
      const requestId = requestIdOf(headers);
      report({ type: 'response', status, requestId: requestId && redact(requestId), rateLimits });
    },
    retry: ({ delay, error }) => report({ type: 'retry', delay, error }),
    events: (count) => void (counts.events += count),
    comment: () => void (counts.comments += 1),
    malformed(event) {
      counts.malformed += 1;
      report({ type: 'malformed', ...event });
    },
    nameless: ({ length }) => report({ type: 'nameless-call', length }),
    broken: (error) => report({ type: 'break', error: nameOf(error) ?? 'Error' }),
    end(outcome, error, usage) {
      // Told of once.
      if (isOver) return;
      isOver = true;
      report({ type: 'end', outcome, error: nameOf(error), ...counts, usage: usage ?? undefined });
    },
  };
}

const nameOf = (error: unknown): string | undefined =>
  error instanceof Error ? className(error) : undefined;

/** Tells of the end of a turn, whichever it is. */
export function reportEnd(log: TurnDiagnostics): MonoTypeOperatorFunction<ResponseEvent> {
  if (log === silent) return identity;
  return tap({
    // Whoever has `completed` may leave.
    next: (event) => event.type === 'completed' && log.end('completed', undefined, event.usage),
    complete: () => log.end('completed'),
    error: (error: unknown) => log.end('error', error),
    unsubscribe: () => log.end('unsubscribed'),
  });
}
