import type { InputFile, InputImage, InputText, ToolOutput } from '../turn/events.js';
import { isRecord, own, stringOf, writeJson } from '../turn/wire.js';

type OutputPart = InputText | InputImage | InputFile;

/**
 * The output of an MCP tool for the model. Texts are joined, one per line; with an image or a file they become
 * parts. Without content, it is `structuredContent` as JSON.
 *
 * @throws Error with the server's text if the result says that the tool failed
 */
export function mcpOutput(result: unknown): ToolOutput {
  if (!isRecord(result)) throw new Error('The MCP server gave no result.');
  const content = own(result, 'content');
  const parts = Array.isArray(content) ? content.filter(isRecord).map(partOf) : [];
  if (own(result, 'isError') === true) throw new Error(textsOf(parts).join('\n'));
  if (parts.length > 0) return parts.every(isText) ? textsOf(parts).join('\n') : parts;
  // Version 2024-10-07 of the protocol said `toolResult`.
  const structured = own(result, 'structuredContent') ?? own(result, 'toolResult');
  return structured === undefined ? '' : (writeJson(structured) ?? '');
}

const isText = (part: OutputPart): part is InputText => part.type === 'input_text';
const textsOf = (parts: readonly OutputPart[]): readonly string[] =>
  parts.filter(isText).map(({ text }) => text);

function partOf(block: Record<string, unknown>): OutputPart {
  const type = stringOf(own(block, 'type'));
  const mimeType = mediaTypeOf(block);
  switch (type) {
    case 'text':
      return text(stringOf(own(block, 'text')));
    case 'image':
      return image(mimeType, own(block, 'data'));
    case 'audio':
      // Tool outputs cannot contain audio, and a provider that rejects it would end the run.
      return unshown('Audio', mimeType);
    case 'resource':
      return resourcePart(own(block, 'resource'));
    case 'resource_link': {
      const said = [own(block, 'title') ?? own(block, 'name'), own(block, 'uri'), own(block, 'description')];
      return text(said.filter((each) => typeof each === 'string' && each !== '').join('\n'));
    }
    default:
      return text(writeJson(block) ?? '');
  }
}

/** A resource embedded in the result. */
function resourcePart(resource: unknown): OutputPart {
  if (!isRecord(resource)) return text('');
  const written = own(resource, 'text');
  if (typeof written === 'string') return text(written);
  const mimeType = mediaTypeOf(resource) || 'application/octet-stream';
  const blob = own(resource, 'blob');
  if (mimeType.startsWith('image/')) return image(mimeType, blob);
  const file_data = dataUrl(mimeType, blob);
  if (file_data === undefined) return unshown('File', mimeType);
  const filename = stringOf(own(resource, 'uri')).split('/').at(-1) ?? '';
  return { type: 'input_file', file_data, ...(filename !== '' && { filename }) };
}

const text = (given: string): InputText => ({ type: 'input_text', text: given });

/** A media type without parameters; `''` if there is none. */
function mediaTypeOf(record: Record<string, unknown>): string {
  const [type = ''] = stringOf(own(record, 'mimeType')).split(';', 1);
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : '';
}

/** A placeholder for content that a provider would reject. */
const unshown = (what: string, mimeType: string): InputText =>
  text(`[${what}${mimeType === '' ? '' : ` (${mimeType})`} that cannot be shown]`);

function image(mimeType: string, data: unknown): InputImage | InputText {
  const image_url = mimeType.startsWith('image/') ? dataUrl(mimeType, data) : undefined;
  return image_url === undefined ? unshown('Image', mimeType) : { type: 'input_image', image_url };
}

/** `undefined` if the data is not Base64, which may contain line breaks. */
function dataUrl(mimeType: string, data: unknown): string | undefined {
  const base64 = stringOf(data).replace(/\s+/g, '');
  return /^[\w+/-]+={0,2}$/.test(base64) ? `data:${mimeType};base64,${base64}` : undefined;
}
