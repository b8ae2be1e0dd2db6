import type { EventSourceMessage } from 'eventsource-parser';
import { ProviderStreamError } from '../errors.js';
import type { ResponseEvent, TokenUsage } from '../events.js';
import { type ProviderErrorReport, readProviderError } from '../provider-error.js';
import { isRecord, own } from '../wire.js';
import { readUsage } from './token-usage.js';

export interface ChunkDecoderOptions {
  /** Takes the secrets out of what a provider said. */
  readonly redact?: (text: string) => string;
  /** Told of each event whose data was no JSON object. */
  readonly onMalformed?:
    ((event: { readonly length: number; readonly position: number }) => void) | undefined;
}

export interface ChunkDecoder {
  /** Emits what an event stands for. Throws a `ProviderStreamError` where it reports an error. */
  push(message: EventSourceMessage): void;
  /** Emits `completed`, with what the stream has told of itself. */
  end(): void;
}

/**
 * Server-sent events to response events: the state of one answer, from its first chunk to
 * `completed`. What comes from the wire is used after its type was checked.
 */
export function chunkDecoder(
  emit: (event: ResponseEvent) => void,
  options: ChunkDecoderOptions = {},
): ChunkDecoder {
  const { redact = (text: string) => text, onMalformed } = options;
  let position = -1;
  let responseId = '';
  let model: string | undefined;
  let finishReason: string | null = null;
  let usage: TokenUsage | null = null;

  const failure = ({ message, code, type, status }: ProviderErrorReport) =>
    new ProviderStreamError({
      status,
      code: code === undefined ? undefined : redact(code),
      type: type === undefined ? undefined : redact(type),
      message: message === undefined ? undefined : redact(message),
    });

  function readChoice(choice: unknown): void {
    if (!isRecord(choice)) return;
    const reason = own(choice, 'finish_reason');
    if (typeof reason === 'string' && reason !== '') finishReason = reason;
    const delta = own(choice, 'delta');
    if (!isRecord(delta)) return;
    const text = own(delta, 'content');
    if (typeof text === 'string' && text !== '') {
      emit({
        type: 'output_item_done',
        item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
      });
    }
  }

  return {
    push({ event, data }) {
      position += 1;
      const chunk = parseJson(data);
      if (event === 'error')
        throw failure(
          readProviderError(chunk) ?? { message: data, code: undefined, type: undefined, status: undefined },
        );
      if (!isRecord(chunk)) {
        const report = readProviderError(chunk);
        if (report !== undefined) throw failure(report);
        onMalformed?.({ length: data.length, position });
        return;
      }
      const choices = own(chunk, 'choices');
      if (own(chunk, 'error') || !Array.isArray(choices)) {
        const report = readProviderError(chunk);
        if (report !== undefined) throw failure(report);
      }
      const id = own(chunk, 'id');
      if (responseId === '' && typeof id === 'string') responseId = id;
      const name = own(chunk, 'model');
      if (model === undefined && typeof name === 'string' && name !== '') model = name;
      usage = readUsage(own(chunk, 'usage')) ?? usage;
      if (Array.isArray(choices)) readChoice(choices[0]);
    },
    end() {
      emit({ type: 'completed', responseId, ...(model !== undefined && { model }), finishReason, usage });
    },
  };
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
