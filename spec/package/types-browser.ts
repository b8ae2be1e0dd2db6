// Compiled as a user's file against the packed declarations, without the types of Node.
import type { Tracer } from '@opentelemetry/api';
import { filter, lastValueFrom, type MonoTypeOperatorFunction, NEVER, type Observable, pipe } from 'rxjs';
import {
  accumulate,
  aggregate,
  builtInProviders,
  type ChatCompletion,
  type ChatOptions,
  coalesce,
  type CompletedEvent,
  fallbackWith,
  fromServerSentEvents,
  isTextDelta,
  limitTokens,
  type OutputItemDoneEvent,
  type Prompt,
  requireFinish,
  type ResponseEvent,
  restartOnBreak,
  type RunEvent,
  type RunState,
  type ServerSentMessage,
  smooth,
  splitThinking,
  stopWhen,
  streamChatCompletions,
  type TextDeltaEvent,
  textDeltas,
  toChatCompletion,
  toChatCompletionChunks,
  toRunState,
  toServerSentEvents,
  type Transport,
  type Turn,
  type TurnState,
} from 'rxjs-chat-completions';
import { type DeepPartial, jsonFormat, partialJson, reask, toJson } from 'rxjs-chat-completions/json';
import { traced, traceTurn } from 'rxjs-chat-completions/otel';
import { memoryLog, type SharedTurns, sharedTurns, type TurnLog } from 'rxjs-chat-completions/shared';
import { type RedisClient, redisLog } from 'rxjs-chat-completions/redis';
import { scriptedTransport } from 'rxjs-chat-completions/testing';

const transport: Transport = scriptedTransport({ body: 'data: [DONE]\n\n' });
const options: ChatOptions = { model: 'm', provider: builtInProviders.openai, transport };
const prompt: Prompt = { instructions: 'Be brief.', input: [] };

export const events: Observable<ResponseEvent> = streamChatCompletions(prompt, options).pipe(aggregate());
export const texts: Observable<string> = streamChatCompletions('Hi', options).pipe(textDeltas());
export const turn: Promise<Turn> = lastValueFrom(streamChatCompletions('Hi', options).pipe(accumulate()));

export function finishReasonOf(event: ResponseEvent): string | null {
  return event.type === 'completed' ? event.finishReason : null;
}

// As a template reads it, which does not narrow what a signal returns: {{ state().error?.message }}.
declare const state: () => TurnState;
export const message: string | undefined = state().error?.message;
export const cause: unknown = state().error?.cause;

// @ts-expect-error a turn needs a model
void streamChatCompletions('Hi', { provider: builtInProviders.openai });
// @ts-expect-error the messages are the prompt's
void streamChatCompletions('Hi', { ...options, params: { messages: [] } });

export const params: ChatOptions = { ...options, params: { temperature: 0, stop: ['\n'], top_k: 40 } };
// @ts-expect-error a number, as the OpenAI reference says
void streamChatCompletions('Hi', { ...options, params: { temperature: 'hot' } });
// @ts-expect-error a text or several
void streamChatCompletions('Hi', { ...options, params: { stop: 7 } });
// @ts-expect-error it stands in the options
void streamChatCompletions('Hi', { ...options, params: { model: 'other' } });
// @ts-expect-error a turn is always streamed
void streamChatCompletions('Hi', { ...options, params: { stream: true } });

declare const tracer: Tracer;
export const tracedOptions: ChatOptions = traced(options, { tracer });
export const tracedTurn: Observable<ResponseEvent> = traceTurn({ tracer }, (each) =>
  streamChatCompletions('Hi', each(options)),
);

interface City {
  name: string;
  rivers: string[];
}
const citySchema = { validate: (value: unknown) => value as City, jsonSchema: { type: 'object' } };
const ask = (asked: Prompt | string): Observable<City> =>
  streamChatCompletions(asked, { ...options, responseFormat: jsonFormat(citySchema) }).pipe(
    toJson(citySchema),
  );
export const city: Observable<City> = ask('Hi').pipe(reask('Hi', ask));
export const growing: Observable<DeepPartial<City>> = streamChatCompletions('Hi', options).pipe(
  partialJson<City>(),
);
export const lengthOf = ({ name, rivers }: DeepPartial<City>): number =>
  // @ts-expect-error it may not have come yet
  name.length + (rivers?.[0]?.length ?? 0);

// Operators on turns and on runs give what they are given, wherever they stand.
declare const aTurn: Observable<ResponseEvent>;
declare const aRun: Observable<RunEvent>;
const stop = NEVER;

export const ofTurn: Observable<ResponseEvent> = aTurn.pipe(
  coalesce(5),
  requireFinish(),
  stopWhen(stop),
  smooth(),
  splitThinking(),
  limitTokens(9),
  aggregate(),
);
export const firstOfTurn: readonly Observable<ResponseEvent>[] = [
  aTurn.pipe(stopWhen(stop), aggregate()),
  aTurn.pipe(splitThinking(), aggregate()),
  aTurn.pipe(limitTokens(9), aggregate()),
  aTurn.pipe(pipe(stopWhen(stop), coalesce(5), aggregate())),
];
export const ofRun: Observable<RunEvent> = aRun.pipe(
  coalesce(5),
  requireFinish(),
  stopWhen(stop),
  smooth(),
  splitThinking(),
  limitTokens(9),
);
export const firstOfRun: readonly Observable<RunEvent>[] = [
  aRun.pipe(stopWhen(stop), coalesce(5)),
  aRun.pipe(splitThinking(), smooth()),
  aRun.pipe(limitTokens(9), requireFinish()),
];
export const textOfRun: Observable<string> = aRun.pipe(stopWhen(stop), textDeltas());
export const deltasOfRun: Observable<TextDeltaEvent> = aRun.pipe(filter(isTextDelta), coalesce(5));
export const stored: MonoTypeOperatorFunction<ResponseEvent> = stopWhen(stop);
export const storedForRuns: MonoTypeOperatorFunction<RunEvent> = stopWhen(stop);

// What is added to some of the events is part of the type.
export const stopped: Observable<TextDeltaEvent | CompletedEvent> = aTurn.pipe(
  filter(isTextDelta),
  stopWhen(stop),
);
export const parts: Observable<OutputItemDoneEvent> = aTurn.pipe(filter(isTextDelta), splitThinking());
// @ts-expect-error a completed may come
export const unstopped: Observable<TextDeltaEvent> = aTurn.pipe(filter(isTextDelta), stopWhen(stop));
// @ts-expect-error the events of tools may come
export const turnOfRun: Observable<ResponseEvent> = aRun.pipe(stopWhen(stop));

// What stands around one turn, or is told of one turn, takes no run: a restart would execute its tools again.
// @ts-expect-error a run is no turn
void aRun.pipe(accumulate());
// @ts-expect-error a run is no turn
void aRun.pipe(aggregate());
// @ts-expect-error a run is no turn
void aRun.pipe(restartOnBreak());
// @ts-expect-error a run is no turn
void aRun.pipe(fallbackWith(aTurn));

// Both are written. What is read is a turn, unless it is said to be a run.
declare const messages: Observable<ServerSentMessage>;
export const written: readonly Observable<ServerSentMessage>[] = [
  aTurn.pipe(toServerSentEvents()),
  aRun.pipe(toServerSentEvents()),
  aTurn.pipe(toChatCompletionChunks({ model: 'm' })),
  aRun.pipe(toChatCompletionChunks({ model: 'm', run: true })),
];
export const readTurn: Observable<ResponseEvent> = messages.pipe(fromServerSentEvents());
export const aggregated: Observable<ResponseEvent> = messages.pipe(fromServerSentEvents(), aggregate());
export const readRun: Observable<RunEvent> = messages.pipe(fromServerSentEvents<RunEvent>());
export const runState: Observable<RunState> = messages.pipe(fromServerSentEvents<RunEvent>(), toRunState());
export const whole: readonly Observable<ChatCompletion>[] = [
  aTurn.pipe(toChatCompletion({ model: 'm' })),
  aRun.pipe(toChatCompletion({ model: 'm', run: true })),
];
// @ts-expect-error the calls that the run executes would be written
void aRun.pipe(toChatCompletion({ model: 'm' }));
// @ts-expect-error the calls that the run executes would be written
void aRun.pipe(toChatCompletionChunks({ model: 'm' }));
// @ts-expect-error a run may come
void messages.pipe(fromServerSentEvents<RunEvent>(), aggregate());
// @ts-expect-error more than text may come
export const readText: Observable<TextDeltaEvent> = messages.pipe(fromServerSentEvents());
declare const redis: RedisClient;
export const logs: readonly TurnLog[] = [memoryLog(), redisLog(redis, { prefix: 'chat:' })];
export const turns: SharedTurns = sharedTurns(redisLog(redis), { whenLeft: { abortAfter: 60_000 } });
