// Compiled as a user's file against the packed declarations: what has to be inferred, narrowed and refused.
import { asyncScheduler, catchError, EMPTY, filter, map, type Observable, of, toArray } from 'rxjs';
import {
  accumulate,
  aggregate,
  azureOpenAI,
  backoff,
  builtInProviders,
  ChatCompletionsError,
  type ChatOptions,
  coalesce,
  decodeChatCompletions,
  decodeEventStream,
  encodeEventStream,
  fetchTransport,
  functionCallOutput,
  idleState,
  isTextDelta,
  iterateChatCompletions,
  type ModelProvider,
  readableStreamFrom,
  reduceTurn,
  emptyTurn,
  outputItems,
  requireFinish,
  type ResponseEvent,
  type ResponseItem,
  retryWithBackoff,
  stopWhen,
  streamChatCompletions,
  textDeltas,
  toServerSentEvents,
  toState,
  type Turn,
  type TurnState,
  userMessage,
} from 'rxjs-chat-completions';

const provider: ModelProvider = { ...builtInProviders.ollama, apiKey: () => of('key') };
const options: ChatOptions = {
  model: 'm',
  provider,
  params: { temperature: 0.2 },
  retry: { maxRetries: 1, retryable: (failure) => failure.retryable },
  transport: fetchTransport({ fetch: (url, init) => fetch(url, init) }),
  scheduler: asyncScheduler,
};
const conversation: ResponseItem[] = [userMessage('Hi'), functionCallOutput('call-1', '{}')];
const turn = streamChatCompletions({ input: conversation }, options);

export const texts: Observable<string> = turn.pipe(
  filter(isTextDelta),
  map(({ item }) => item.content[0].text),
);
export const costs: Observable<number> = turn.pipe(
  requireFinish(),
  filter((event) => event.type === 'completed'),
  map((event) => (event.type === 'completed' ? (event.usage?.totalTokens ?? 0) : 0)),
);
export const turns: Observable<Turn> = turn.pipe(stopWhen(EMPTY), coalesce(16), accumulate());
export const items: Observable<ResponseItem[]> = turn.pipe(outputItems(), toArray());
export const states: Observable<TurnState> = turn.pipe(toState());
export const idle: TurnState = idleState;
export const folded: Turn = reduceTurn(emptyTurn, {
  type: 'completed',
  responseId: '',
  finishReason: null,
  usage: null,
});
export const bytes: ReadableStream<Uint8Array> = readableStreamFrom(
  turn.pipe(toServerSentEvents(), encodeEventStream()),
);
export const delay: number = backoff(1, { jitter: 0 });
export const parts = (body: Observable<Uint8Array>): Observable<ResponseEvent> =>
  body.pipe(decodeEventStream(), decodeChatCompletions(), retryWithBackoff({ maxRetries: 1 }), aggregate());
export const names: Observable<string> = turn.pipe(
  textDeltas(),
  catchError((error: unknown) => of(error instanceof ChatCompletionsError ? error.name : '')),
);
export const azure: ModelProvider = azureOpenAI({
  endpoint: 'https://a.example',
  deployment: 'd',
  apiVersion: '2024-10-21',
});

export async function pulled(): Promise<ResponseEvent[]> {
  const events: ResponseEvent[] = [];
  for await (const event of iterateChatCompletions('Hi', { ...options, highWaterMark: 8 }))
    events.push(event);
  return events;
}

// @ts-expect-error a turn emits events, which are no strings
export const wrong: Observable<string> = turn;
