import { isRecord, own, writeJson } from './wire.js';

/** How much of an error is kept, in bytes or characters. */
export const maxErrorSize = 64 * 1024;

/** A provider's error report, as far as it was understood. */
export interface ProviderErrorReport {
  /** The provider's own words, which may quote the prompt. */
  readonly message: string | undefined;
  readonly code: string | undefined;
  readonly type: string | undefined;
  /** An HTTP status inside the report. */
  readonly status: number | undefined;
}

/** Accepts only what looks like an identifier: anything else may be prose, and prose is private. */
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

/** The first of the named properties that is present and not `null`. */
function firstOf(record: Record<string, unknown>, ...names: readonly string[]): unknown {
  return names.map((name) => own(record, name)).find((value) => (value ?? undefined) !== undefined);
}

function fields(record: Record<string, unknown>): ProviderErrorReport {
  const code = firstOf(record, 'code', 'error_code');
  return {
    message: words(firstOf(record, 'message', 'detail', 'details', 'msg', 'error')),
    code: identifier(code),
    type: identifier(firstOf(record, 'type', 'error_type')),
    status: httpStatus(
      own(record, 'status'),
      own(record, 'status_code'),
      own(record, 'statusCode'),
      own(record, 'raw_status_code'),
      code,
    ),
  };
}

/**
 * Reads the error in a provider's response; `undefined` if there is none. Seen in the wild: `{error: {message,
 * type, code}}` (OpenAI and most others), the same in an array (Gemini), `{error: 'text'}` (Ollama), `{error:
 * 'Bad Request', message: 'text', statusCode}` (NestJS and Fastify servers), `{detail}` (FastAPI servers),
 * `{object: 'error', message, code}` (Mistral, vLLM), the same without `object` (DashScope), and `{base_resp:
 * {status_code, status_msg}}` with a code that is not 0 (MiniMax).
 */
export function readProviderError(value: unknown): ProviderErrorReport | undefined {
  const report = Array.isArray(value) ? (value as readonly unknown[])[0] : value;
  if (!isRecord(report)) return undefined;
  const error = own(report, 'error');
  if (isRecord(error)) {
    const inner = fields(error);
    return { ...inner, status: inner.status ?? fields(report).status };
  }
  if (error) return besideMessage(error, report);
  return ofBaseResponse(own(report, 'base_resp')) ?? (isBareError(report) ? fields(report) : undefined);
}

/** The error of an event named `error`, in any shape. */
export function errorFields(value: unknown, data: string): ProviderErrorReport {
  const report = readProviderError(value) ?? fields(isRecord(value) ? value : {});
  return { ...report, message: report.message ?? data };
}

/** An `error` that is not an object: a short label next to a `message`, or the message itself. */
function besideMessage(error: unknown, report: Record<string, unknown>): ProviderErrorReport {
  const beside = fields(report);
  const message = own(report, 'message');
  if (typeof error !== 'string' || typeof message !== 'string' || message === '' || message === error)
    return { ...beside, message: words(error) };
  const name = identifier(error);
  return name === undefined
    ? { ...beside, message: `${error}: ${message}` }
    : { ...beside, type: beside.type ?? name };
}

/** MiniMax reports a status in each chunk: 0 is success. */
function ofBaseResponse(response: unknown): ProviderErrorReport | undefined {
  if (!isRecord(response)) return undefined;
  const code = identifier(own(response, 'status_code'));
  if (code === undefined || code === '0') return undefined;
  return {
    message: words(own(response, 'status_msg')),
    code,
    type: undefined,
    status: httpStatus(own(response, 'status_code')),
  };
}

/** Whether an error's code, type or message says that the prompt exceeds the context length. */
export const isContextLength = (text: string): boolean =>
  /context[ _-]?(?:length|window)|maximum context|prompt is too long|too many (?:input )?tokens/i.test(text);

/** Codes that mean success. */
const successCode = /^(?:0|2\d\d|ok|success)$/i;

/** An error outside an `error` property. */
function isBareError(record: Record<string, unknown>): boolean {
  if (Array.isArray(own(record, 'choices'))) return false;
  if (own(record, 'object') === 'error' || own(record, 'type') === 'error') return true;
  if ((own(record, 'detail') ?? null) !== null) return true;
  if (typeof own(record, 'message') !== 'string') return false;
  const { code, type, status } = fields(record);
  return (
    status !== undefined ||
    (code !== undefined && !successCode.test(code)) ||
    /error|exception/i.test(type ?? '')
  );
}
