import { identity, type MonoTypeOperatorFunction, noop, tap } from 'rxjs';
import { className, type RequestFailure } from './errors.js';
import type { CompletedEvent, ResponseEvent, TokenUsage } from './events.js';
import { isContent } from './is-content.js';
import { type HttpHeaders, requestIdOf } from './wire.js';

/**
 * What happened inside a turn, for logs and metrics. Diagnostics never contain a key, a prompt or a model's
 * output.
 *
 * `turn` counts the subscriptions that report to one listener, from 1; `attempt` counts the requests
 * of one turn, from 1.
 */
export type Diagnostic = DiagnosticReport & { readonly turn: number; readonly attempt: number };

export type DiagnosticReport =
  | StartDiagnostic
  | RequestDiagnostic
  | ResponseDiagnostic
  | ContentDiagnostic
  | RetryDiagnostic
  | MalformedDiagnostic
  | NamelessCallDiagnostic
  | BreakDiagnostic
  | EndDiagnostic;

/** The turn was subscribed to; nothing has been sent yet. `attempt` is 0. */
export interface StartDiagnostic {
  readonly type: 'start';
}

/** A request is about to be sent. */
export interface RequestDiagnostic {
  readonly type: 'request';
  /** Without the query, which may contain a key. */
  readonly url: string;
  /** Length of the body, in UTF-16 code units. */
  readonly bodyLength: number;
}

/** The response headers have arrived, with any status. */
export interface ResponseDiagnostic {
  readonly type: 'response';
  readonly status: number;
  readonly requestId: string | undefined;
  /** The response's `x-ratelimit-*` and `retry-after*` headers, by lower-case name. */
  readonly rateLimits: Readonly<Record<string, string>>;
}

/** The first text, reasoning or part of a call has arrived. Reported once per turn. */
export interface ContentDiagnostic {
  readonly type: 'content';
}

/** A request failed and another follows. */
export interface RetryDiagnostic {
  readonly type: 'retry';
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  readonly error: RequestFailure;
}

/** An event was skipped because its data is not a JSON object. */
export interface MalformedDiagnostic {
  readonly type: 'malformed';
  /** Length of the data, in UTF-16 code units. */
  readonly length: number;
  /** The position of the event in the stream, counted from 0. */
  readonly position: number;
}

/** A tool call was dropped because it never got a name. */
export interface NamelessCallDiagnostic {
  readonly type: 'nameless-call';
  /** Length of its arguments, in UTF-16 code units. */
  readonly length: number;
}

/** The connection broke after the finish reason: the output is complete, and so is the turn. */
export interface BreakDiagnostic {
  readonly type: 'break';
  /** The `name` of the error. */
  readonly error: string;
}

/** The turn is over. */
export interface EndDiagnostic {
  readonly type: 'end';
  readonly outcome: 'completed' | 'error' | 'unsubscribed';
  /** The `name` of the error that ended the turn, if any. */
  readonly error: string | undefined;
  /** Server-sent events that arrived. */
  readonly events: number;
  /** Comments among them, such as keep-alives. */
  readonly comments: number;
  readonly malformed: number;
  /** The token usage, if the stream reported it. */
  readonly usage: TokenUsage | undefined;
  /** The provider's id of the response, if the stream had one that looks like an identifier. */
  readonly responseId: string | undefined;
  /** The model that answered, if the stream named one that looks like an identifier. */
  readonly model: string | undefined;
  /**
   * Why each choice stopped, in order; `null` if the stream ended without a reason. Empty if it did not end.
   */
  readonly finishReasons: readonly (string | null)[];
}

export type DiagnosticsListener = (diagnostic: Diagnostic) => void;

/** Reports one turn's diagnostics to a listener. */
export interface TurnDiagnostics {
  readonly start: () => void;
  /** `redact` removes secrets from the URL's path and from the response's headers. */
  readonly request: (
    attempt: number,
    request: { readonly url: string; readonly body: string },
    redact?: (text: string) => string,
  ) => void;
  readonly response: (
    response: { readonly status: number; readonly headers: HttpHeaders },
    redact?: (text: string) => string,
  ) => void;
  readonly content: () => void;
  readonly retry: (retry: { readonly delay: number; readonly error: RequestFailure }) => void;
  readonly events: (count: number) => void;
  readonly comment: () => void;
  readonly malformed: (event: { readonly length: number; readonly position: number }) => void;
  readonly nameless: (call: { readonly length: number }) => void;
  readonly broken: (error: unknown) => void;
  readonly end: (outcome: EndDiagnostic['outcome'], error?: unknown, completed?: CompletedEvent) => void;
}

/** For a turn without a listener. */
const silent: TurnDiagnostics = {
  start: noop,
  request: noop,
  response: noop,
  content: noop,
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

/** How much of a header is reported, in characters. */
const longestHeader = 64;

/** Reports a turn to a listener. Errors thrown by the listener are dropped and never affect the turn. */
export function diagnose(listener: DiagnosticsListener | undefined): TurnDiagnostics {
  return listener === undefined ? silent : lineTo(listener);
}

function lineTo(listener: DiagnosticsListener): TurnDiagnostics {
  const turn = (turns.get(listener) ?? 0) + 1;
  turns.set(listener, turn);
  let attempt = 0;
  let hasContent = false;
  let isOver = false;
  const counts = { events: 0, comments: 0, malformed: 0 };

  function report(diagnostic: DiagnosticReport): void {
    try {
      listener({ ...diagnostic, turn, attempt });
    } catch {
      // A failing listener is its owner's problem, not the turn's.
    }
  }

  return {
    start: () => report({ type: 'start' }),
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
    content() {
      if (hasContent) return;
      hasContent = true;
      report({ type: 'content' });
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
    end(outcome, error, completed) {
      // Reported once.
      if (isOver) return;
      isOver = true;
      const { usage, responseId, model, choices = [] } = completed ?? {};
      report({
        type: 'end',
        outcome,
        error: nameOf(error),
        ...counts,
        usage: usage ?? undefined,
        responseId: identifier(responseId),
        model: identifier(model),
        finishReasons: (completed ? [completed, ...choices] : []).map(
          ({ finishReason }) => finishReason && (identifier(finishReason) ?? 'other'),
        ),
      });
    },
  };
}

/** A provider's identifier, unless it may be prose: prose is private. */
const identifier = (name: string | undefined): string | undefined =>
  /^[\w.:/@+-]{1,128}$/.test(name ?? '') ? name : undefined;

const nameOf = (error: unknown): string | undefined =>
  error instanceof Error ? className(error) : undefined;

/** Reports a turn's first content and its end, successful or not. */
export function reportTurn(log: TurnDiagnostics): MonoTypeOperatorFunction<ResponseEvent> {
  if (log === silent) return identity;
  return tap({
    subscribe: () => log.start(),
    next: (event) => {
      if (isContent(event)) log.content();
      // The subscriber may unsubscribe at `completed`.
      else if (event.type === 'completed') log.end('completed', undefined, event);
    },
    complete: () => log.end('completed'),
    error: (error: unknown) => log.end('error', error),
    unsubscribe: () => log.end('unsubscribed'),
  });
}
