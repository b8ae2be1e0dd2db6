// Compiled as a user's file against the packed declarations, without the types of Node.
import type { Tracer } from '@opentelemetry/api';
import { lastValueFrom, type Observable } from 'rxjs';
import {
  accumulate,
  aggregate,
  builtInProviders,
  type ChatOptions,
  type Prompt,
  type ResponseEvent,
  streamChatCompletions,
  textDeltas,
  type Transport,
  type Turn,
  type TurnState,
} from 'rxjs-chat-completions';
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

declare const redis: RedisClient;
export const logs: readonly TurnLog[] = [memoryLog(), redisLog(redis, { prefix: 'chat:' })];
export const turns: SharedTurns = sharedTurns(redisLog(redis), { whenLeft: { abortAfter: 60_000 } });
