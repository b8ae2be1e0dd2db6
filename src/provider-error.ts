import { isRecord, own } from './wire.js';

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

function words(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}

function fields(record: Record<string, unknown>): ProviderErrorReport {
  const code = own(record, 'code');
  return {
    message: words(own(record, 'message') ?? own(record, 'detail') ?? own(record, 'error')),
    code: identifier(code),
    type: identifier(own(record, 'type')),
    status: httpStatus(own(record, 'status'), own(record, 'status_code'), code),
  };
}

/**
 * Reads an error out of what a provider sent, or `undefined` where it holds none. Seen in the wild:
 * `{error: {message, type, code}}` (OpenAI and most others), the same in an array (Gemini),
 * `{error: 'text'}` (Ollama), `{detail}` (FastAPI servers), `{object: 'error', message, code}`
 * (Mistral, vLLM).
 */
export function readProviderError(value: unknown): ProviderErrorReport | undefined {
  if (Array.isArray(value)) return value.length > 0 ? readProviderError(value[0]) : undefined;
  if (!isRecord(value)) return undefined;
  const error = own(value, 'error');
  if (isRecord(error)) {
    const report = fields(error);
    return { ...report, status: report.status ?? httpStatus(own(value, 'status'), own(value, 'code')) };
  }
  if (error !== undefined && error !== null && error !== false && error !== '')
    return { ...fields(value), message: words(error) };
  const isErrorObject = own(value, 'object') === 'error' || own(value, 'type') === 'error';
  return isErrorObject || (own(value, 'detail') ?? null) !== null ? fields(value) : undefined;
}
