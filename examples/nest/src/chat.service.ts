import {
  defer,
  type MonoTypeOperatorFunction,
  type Observable,
  type OperatorFunction,
  pipe,
  tap,
} from 'rxjs';
import {
  type ChatCompletion,
  type ChatOptions,
  Demand,
  encodeEventStream,
  type MessageEventLike,
  type ResponseEvent,
  streamChatCompletions,
  streamChatRequest,
  toChatCompletion,
  toChatCompletionChunks,
  toMessageEvents,
  toServerSentEvents,
} from 'rxjs-chat-completions';
import { RequestProblem } from './problems.js';
import { type ChatRequest, customToolsOf, promptOf, type PromptRequest, requestFor } from './requests.js';
import type { Settings } from './settings.js';

/** An answer that is still to come: unsubscribing from its text aborts the turn. */
export interface Answer {
  readonly text: Observable<string>;
  /** Whoever writes the text holds it while the client does not read: the provider then waits too. */
  readonly demand: Demand;
}

export const eventStreamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

/** The turns of this backend, whatever framework serves them. Nothing in here is NestJS's. */
export class ChatService {
  constructor(private readonly settings: Settings) {}

  /** For `@Sse()`: its status is sent at once, so that retries and every error stand in the stream. */
  messages(question: string): Observable<MessageEventLike> {
    const options = { ...answerOptions(this.settings), includeRetries: true };
    return streamChatCompletions(question, options).pipe(toServerSentEvents(), toMessageEvents());
  }

  /** In the library's own protocol, which `fromServerSentEvents()` reads. */
  events(request: PromptRequest): Answer {
    const demand = new Demand();
    const options = { ...answerOptions(this.settings), demand };
    const events = refuseInvalid(() => streamChatCompletions(promptOf(request), options));
    return { demand, text: events.pipe(earlyErrorsPass(pipe(toServerSentEvents(), encodeEventStream()))) };
  }

  /** In OpenAI's, which any client of theirs reads. */
  chunks(request: ChatRequest): Answer {
    const { turn } = this.settings;
    const body = requestFor(request, this.settings);
    const includeUsage = request.stream_options?.include_usage === true;
    const demand = new Demand();
    const events = refuseInvalid(() => streamChatRequest(body, { ...turn, includeUsage, demand }));
    const write = pipe(
      toChatCompletionChunks({ model: body.model, includeUsage, customTools: customToolsOf(request) }),
      encodeEventStream(),
    );
    return { demand, text: events.pipe(earlyErrorsPass(write)) };
  }

  /** The same as one object, for a request without `stream: true`. Unsubscribing aborts the turn, and its errors have a status. */
  completion(request: ChatRequest): Observable<ChatCompletion> {
    const body = requestFor(request, this.settings);
    const options = { ...this.settings.turn, includeUsage: true };
    return refuseInvalid(() => streamChatRequest(body, options)).pipe(
      toChatCompletion({ model: body.model }),
    );
  }
}

/** Of the library's own protocol, the model and the length of its answers are the backend's. */
export const answerOptions = ({ turn, models, maxTokens }: Settings): ChatOptions => ({
  ...turn,
  model: models[0],
  params: { max_completion_tokens: maxTokens },
});

/** Of a prompt that no request can be made of, the library throws a `TypeError`. */
export function refuseInvalid(start: () => Observable<ResponseEvent>): Observable<ResponseEvent> {
  try {
    return start();
  } catch (error) {
    if (error instanceof TypeError) throw new RequestProblem(400, 'The prompt is not in its form.');
    throw error;
  }
}

/**
 * Writers put errors into the stream. One that comes before anything was written passes as it is: its
 * status can still be told.
 */
export function earlyErrorsPass(
  write: OperatorFunction<ResponseEvent, string>,
): OperatorFunction<ResponseEvent, string> {
  return (events) =>
    defer(() => {
      let failure: { readonly error: unknown } | undefined;
      let isBegun = false;
      const begin: MonoTypeOperatorFunction<string> = tap(() => {
        if (failure !== undefined && !isBegun) throw failure.error;
        isBegun = true;
      });
      return events.pipe(tap({ error: (error: unknown) => (failure = { error }) }), write, begin);
    });
}
