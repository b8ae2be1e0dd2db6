import { writeJson } from '../turn/wire.js';
import type { ToolOutput } from '../turn/events.js';

const partTypes: readonly unknown[] = ['input_text', 'input_image', 'input_file'];

/**
 * What a model is told that a tool gave: text and parts as they are, nothing as an empty text, anything else as JSON.
 *
 * @throws TypeError for what cannot be written as JSON: a cycle, a BigInt, a function
 */
export function toolOutput(value: unknown): ToolOutput {
  if (typeof value === 'string') return value;
  if (value === undefined) return '';
  if (isParts(value)) return value;
  const json = writeJson(value);
  if (json === undefined) throw new TypeError('The output cannot be written as JSON.');
  return json;
}

const isParts = (value: unknown): value is Exclude<ToolOutput, string> =>
  Array.isArray(value) && value.length > 0 && value.every(isPart);

const isPart = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && partTypes.includes((value as { type?: unknown }).type);
