import type { IncomingHttpHeaders } from 'node:http';
import { isRecord, own } from '../turn/wire.js';

/** The body of a Chat Completions request, checked as far as it is typed. */
export interface MockRequestBody {
  readonly model: string;
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  readonly [param: string]: unknown;
}

/** A request that was well-formed. */
export interface MockRequest {
  /** Counted from 0. */
  readonly index: number;
  /** Path and query. */
  readonly url: string;
  /** By lower-case names. */
  readonly headers: IncomingHttpHeaders;
  readonly body: MockRequestBody;
}

/** The endpoint, determined by the end of the path, whatever its prefix. */
export function routeOf(method: string, url: string): 'completion' | 'models' | undefined {
  const path = url.replace(/[?#].*/, '');
  if (method === 'POST' && path.endsWith('/chat/completions')) return 'completion';
  if (method === 'GET' && path.endsWith('/models')) return 'models';
  return undefined;
}

/** The body, or what is wrong with it. */
export function readRequestBody(
  text: string,
): { readonly body: MockRequestBody } | { readonly problem: string; readonly param: string | null } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problem: 'The request body is not JSON.', param: null };
  }
  if (!isRecord(json)) return { problem: 'The request body is not a JSON object.', param: null };
  const model = own(json, 'model');
  const messages = own(json, 'messages');
  if (typeof model !== 'string' || model === '')
    return { problem: 'The request has no model.', param: 'model' };
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isRecord))
    return { problem: 'The request has no messages array.', param: 'messages' };
  return { body: { ...json, model, messages } };
}

export function wantsStream({ body }: MockRequest): boolean {
  return own(body, 'stream') === true;
}

export function wantsUsage({ body }: MockRequest): boolean {
  const options = own(body, 'stream_options');
  return isRecord(options) && own(options, 'include_usage') === true;
}

/** The text of all messages, and of the last user message. */
export function promptOf({ body }: MockRequest): { readonly all: string; readonly last: string } {
  const texts = body.messages.map((message) => textOf(own(message, 'content')));
  const users = texts.filter((_, at) => body.messages[at]?.['role'] === 'user');
  return { all: texts.join('\n'), last: users.at(-1) ?? '' };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isRecord(part) ? own(part, 'text') : undefined))
    .filter((text) => typeof text === 'string')
    .join('');
}
