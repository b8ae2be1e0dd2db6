import { secretsOf } from '../request/secrets.js';
import type { HttpRequest } from '../request/transport.js';
import { isRecord, own } from '../turn/wire.js';

/** A shorter one stands inside innocent words, and its removal would spoil the answer. */
const shortestSecret = 6;

/** A shorter text of a prompt may well be the model's own. */
const shortestPrompt = 16;

/** The longest secret whose beginning is looked for where a body was cut. */
const longestCutSecret = 4096;

/** The secrets of a request in the forms in which an answer may repeat them, the longest first. */
export function secretsToRemove(request: HttpRequest, further: readonly string[] = []): readonly string[] {
  const none = { url: '', headers: {} };
  const all = [...secretsOf(request), ...further.flatMap((secret) => secretsOf(none, secret))];
  return [...new Set(all)]
    .filter(({ length }) => length >= shortestSecret)
    .sort((a, b) => b.length - a.length);
}

/** The texts of a request's messages, in the forms in which an answer may repeat them. */
export function promptTexts(body: string): readonly string[] {
  const texts = messageTexts(body).filter(({ length }) => length >= shortestPrompt);
  return [...new Set(texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]))].sort(
    (a, b) => b.length - a.length,
  );
}

function messageTexts(body: string): readonly string[] {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    return [];
  }
  const messages = isRecord(request) ? own(request, 'messages') : undefined;
  if (!Array.isArray(messages)) return [];
  return messages.flatMap((message: unknown) => {
    const content = isRecord(message) ? own(message, 'content') : undefined;
    const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
    return parts
      .map((part) => (isRecord(part) ? own(part, 'text') : part))
      .filter((text) => typeof text === 'string');
  });
}

/**
 * The pieces of one text with every secret replaced by `***`, one that stands across pieces included,
 * and one that the text's end cuts off.
 */
export function redactPieces(pieces: readonly string[], secrets: readonly string[]): readonly string[] {
  let text = pieces.join('');
  let end = 0;
  let ends = pieces.map((piece) => (end += piece.length));

  function replace(start: number, length: number): void {
    text = `${text.slice(0, start)}***${text.slice(start + length)}`;
    // What is put in stands in the piece in which the secret began.
    ends = ends.map((at) => (at <= start ? at : Math.max(start, at - length) + 3));
  }

  for (const secret of secrets) {
    for (let start = text.indexOf(secret); start !== -1; start = text.indexOf(secret, start + 3))
      replace(start, secret.length);
    if (secret.length > longestCutSecret) continue;
    for (let length = secret.length - 1; length >= 8; length -= 1) {
      if (text.endsWith(secret.slice(0, length))) replace(text.length - length, length);
    }
  }
  return ends.map((at, index) => text.slice(ends[index - 1] ?? 0, at));
}
