import type { MessageItem } from '../events.js';
import { type Prompt, userMessage } from './prompt.js';

/** A message as Chat Completions writes it. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** The body of a Chat Completions request. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream: true;
  readonly [param: string]: unknown;
}

/** What a request holds beside the prompt. */
export interface ChatRequestOptions {
  readonly model: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly includeUsage?: boolean;
}

/** Parameters that a turn decides itself. */
export const reservedParams = ['model', 'messages', 'stream'] as const;

/**
 * The body of a prompt's request (C2, C3): `model`, `messages` and `stream`, and what the caller
 * added.
 *
 * @throws TypeError where the prompt or a parameter is none
 */
export function chatRequest(prompt: Prompt | string, options: ChatRequestOptions): ChatRequest {
  const { model, params = {}, includeUsage = false } = options;
  for (const name of reservedParams) {
    if (Object.hasOwn(params, name))
      throw new TypeError(`params.${name} is set by the turn itself and cannot be given.`);
  }
  return {
    ...params,
    model,
    messages: messagesOf(prompt),
    stream: true,
    ...(includeUsage && { stream_options: { ...asObject(params['stream_options']), include_usage: true } }),
  };
}

function messagesOf(prompt: Prompt | string): readonly ChatMessage[] {
  const { instructions, input } =
    typeof prompt === 'string' ? { instructions: undefined, input: [userMessage(prompt)] } : prompt;
  if (!Array.isArray(input))
    throw new TypeError('A prompt is a string, or an object whose input is an array of items.');
  const messages: ChatMessage[] = [];
  if (instructions !== undefined) messages.push({ role: 'system', content: instructions });
  for (const item of input as Prompt['input']) {
    if (item.type === 'message') messages.push({ role: item.role, content: textOf(item) });
  }
  return messages;
}

function textOf({ content }: MessageItem): string {
  let text = '';
  for (const part of content)
    if (part.type === 'input_text' || part.type === 'output_text') text += part.text;
  return text;
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
