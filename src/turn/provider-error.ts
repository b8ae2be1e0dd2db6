import { isRecord, own, writeJson } from './wire.js';

/** What a provider reports when something went wrong, as far as it is known. */
export interface ProviderErrorReport {
  /** The provider's own words: they may quote the prompt. */
  readonly message: string | undefined;
  readonly code: string | undefined;
  readonly type: string | undefined;
  /** An HTTP status that stands inside the report. */
  readonly status: number | undefined;
}

/** Only what looks like an identifier is taken for one: the rest may be prose, and prose is private. */
function identifier(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && /^[\w.:/-]{1,64}$/.test(value) ? value : undefined;
}

function httpStatus(...values: readonly unknown[]): number | undefined {
  for (const value of values) {
    const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= 400 && number <= 599)
      return number;
  }
  return undefined;
}

const words = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : writeJson(value ?? undefined);

function fields(record: Record<string, unknown>): ProviderErrorReport {
  const code = own(record, 'code');
  return {
    message: words(own(record, 'message') ?? own(record, 'detail') ?? own(record, 'error')),
    code: identifier(code),
    type: identifier(own(record, 'type')),
    status: httpStatus(
      own(record, 'status'),
      own(record, 'status_code'),
      own(record, 'raw_status_code'),
      code,
    ),
  };
}

/**
 * Reads an error out of what a provider sent, or `undefined` where it holds none. Seen in the wild:
 * `{error: {message, type, code}}` (OpenAI and most others), the same in an array (Gemini),
 * `{error: 'text'}` (Ollama), `{detail}` (FastAPI servers), `{object: 'error', message, code}`
 * (Mistral, vLLM), and the same without `object`.
 */
export function readProviderError(value: unknown): ProviderErrorReport | undefined {
  const report = Array.isArray(value) ? (value as readonly unknown[])[0] : value;
  if (!isRecord(report)) return undefined;
  const error = own(report, 'error');
  if (isRecord(error)) {
    const inner = fields(error);
    return { ...inner, status: inner.status ?? fields(report).status };
  }
  if (error) return { ...fields(report), message: words(error) };
  return isBareError(report) ? fields(report) : undefined;
}

/** An error that does not stand under `error`. */
function isBareError(record: Record<string, unknown>): boolean {
  if (own(record, 'object') === 'error' || own(record, 'type') === 'error') return true;
  if ((own(record, 'detail') ?? null) !== null) return true;
  return typeof own(record, 'message') === 'string' && httpStatus(own(record, 'code')) !== undefined;
}
