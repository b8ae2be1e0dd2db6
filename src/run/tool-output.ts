import { propertyOf } from '../turn/errors.js';
import type { ToolOutput } from '../turn/events.js';
import { writeJson } from '../turn/wire.js';

const partTypes: readonly unknown[] = ['input_text', 'input_image', 'input_file'];

/**
 * What a model is told that a tool gave: text and parts as they are, nothing as an empty text, anything else as JSON;
 * `undefined` for what cannot be written so, such as a cycle, a BigInt or a function.
 */
export function toolOutput(value: unknown): ToolOutput | undefined {
  if (value === undefined) return '';
  if (typeof value === 'string' || isParts(value)) return value;
  return writeJson(value);
}

const isParts = (value: unknown): value is Exclude<ToolOutput, string> =>
  Array.isArray(value) && value.length > 0 && value.every(isPart);

const isPart = (value: unknown): boolean => partTypes.includes(propertyOf(value, 'type'));
