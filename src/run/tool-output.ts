import { propertyOf } from '../turn/errors.js';
import type { ToolOutput } from '../turn/events.js';
import { writeJson } from '../turn/wire.js';

type OutputPart = Exclude<ToolOutput, string>[number];

/**
 * A tool's value as output for the model: text and parts unchanged, no value as an empty text, anything else as
 * JSON; `undefined` for a value that JSON cannot represent, such as a cycle, a BigInt or a function.
 */
export function toolOutput(value: unknown): ToolOutput | undefined {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  return partsOf(value) ?? writeJson(value);
}

/** A copy of a list of parts: the tool may change its own later. */
function partsOf(value: unknown): OutputPart[] | undefined {
  try {
    if (!Array.isArray(value) || value.length === 0) return undefined;
    // Holes, too.
    const parts = Array.from(value, partOf);
    return parts.every((part) => part !== undefined) ? parts : undefined;
  } catch {
    // A proxy.
    return undefined;
  }
}

/** A valid part: an invalid one, rejected by the provider, would end the run. */
function partOf(value: unknown): OutputPart | undefined {
  const fields = (...names: readonly string[]) => textsOf(value, names);
  switch (propertyOf(value, 'type')) {
    case 'input_text': {
      const { text } = fields('text') ?? {};
      return text === undefined ? undefined : { type: 'input_text', text };
    }
    case 'input_image': {
      const { image_url, detail } = fields('image_url', 'detail') ?? {};
      if (image_url === undefined) return undefined;
      if (detail === undefined) return { type: 'input_image', image_url };
      return isDetail(detail) ? { type: 'input_image', image_url, detail } : undefined;
    }
    case 'input_file': {
      const { filename, ...place } = fields('file_id', 'file_data', 'file_url', 'filename') ?? {};
      if (Object.keys(place).length === 0) return undefined;
      return { type: 'input_file', ...place, ...(filename !== undefined && { filename }) };
    }
    default:
      return undefined;
  }
}

const isDetail = (detail: string): detail is 'auto' | 'low' | 'high' =>
  detail === 'auto' || detail === 'low' || detail === 'high';

/** The present fields; `undefined` if one of them is not a string. */
function textsOf(value: unknown, names: readonly string[]): Readonly<Record<string, string>> | undefined {
  const texts: Record<string, string> = {};
  for (const name of names) {
    const field = propertyOf(value, name);
    if (field === undefined) continue;
    if (typeof field !== 'string') return undefined;
    texts[name] = field;
  }
  return texts;
}
