import {
  mergeSpans,
  secretsOf,
  type Sought,
  sought,
  soughtForms,
  type Span,
  spansOf,
} from '../request/secrets.js';
import type { HttpRequest } from '../request/transport.js';
import { isRecord, own } from '../turn/wire.js';
import { toBytes } from './answer.js';
import { toBinary } from './cassette.js';
import { stringSpans } from './string-spans.js';

/** A shorter text of a prompt may well be the model's own. */
const shortestPrompt = 16;

/** The secrets of a request, and further ones. */
export function secretsToRemove(request: HttpRequest, further: readonly string[] = []): readonly string[] {
  const none = { url: '', headers: {} };
  return [...new Set([...secretsOf(request), ...further.flatMap((secret) => secretsOf(none, secret))])];
}

/** What to look for in the bytes of an answer: secrets in every encoding, and texts of a prompt as they are written. */
export function soughtInBody(secrets: readonly string[], texts: readonly string[] = []): Sought {
  const encoded = sought(secrets);
  const binary = texts.map((text) => toBinary(toBytes(text)));
  const written = soughtForms(binary, [...texts, ...binary]);
  return {
    asIs: [...secrets.map((secret) => toBinary(toBytes(secret))), ...written.asIs],
    plain: [...encoded.plain, ...written.plain],
  };
}

/** The texts of a request's messages. */
export function promptTexts(body: string): readonly string[] {
  return [...new Set(messageTexts(body))].filter(({ length }) => length >= shortestPrompt);
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
 * The pieces of one text with `***` in the place of all that is looked for: also where it stands across pieces or
 * deltas, or is cut off by the text's end. Each character is copied once, however often a secret stands there.
 */
export function redactPieces(pieces: readonly string[], secrets: Sought): readonly string[] {
  const text = pieces.join('');
  const spans = mergeSpans([...spansOf(text, secrets), ...spansAcrossDeltas(text, secrets)]);
  let next = 0;
  let at = 0;
  let end = 0;
  return pieces.map((piece) => {
    end += piece.length;
    let clean = '';
    for (let span = spans[next]; span !== undefined && span[0] < end; span = spans[next]) {
      // What is put in stands in the piece in which the secret began.
      clean += `${text.slice(at, span[0])}***`;
      at = span[1];
      next += 1;
    }
    clean += text.slice(at, end);
    at = Math.max(at, end);
    return clean;
  });
}

/** What stands in several deltas, each of them a JSON string, as one text of the same place in every chunk. */
function spansAcrossDeltas(text: string, secrets: Sought): readonly Span[] {
  return [...stringSpans(text).values()].flatMap((strings) => {
    if (strings.length < 2) return [];
    const joined = strings.map(([start, end]) => text.slice(start, end)).join('');
    const found: Span[] = [];
    let at = 0;
    let offset = 0;
    for (const [start, end] of mergeSpans(spansOf(joined, secrets))) {
      for (let string = strings[at]; string !== undefined && offset < end; string = strings[at]) {
        const last = offset + string[1] - string[0];
        if (last > start) {
          const from = string[0] + Math.max(0, start - offset);
          const to = Math.min(string[1], string[0] + end - offset);
          if (from < to) found.push([from, to]);
        }
        if (last > end) break;
        offset = last;
        at += 1;
      }
    }
    return found;
  });
}
