import type { InputFile, InputImage, InputText, ToolOutput } from '../turn/events.js';
import { isRecord, own, stringOf, writeJson } from '../turn/wire.js';

type OutputPart = InputText | InputImage | InputFile;

/**
 * What a model is told that an MCP tool gave. Texts alone are joined, a line each; with an image or a file among them,
 * they are parts. Where there is no content, it is `structuredContent` as JSON.
 *
 * @throws Error with the server's text, where the result says that the tool failed
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
  const mimeType = stringOf(own(block, 'mimeType'));
  switch (type) {
    case 'text':
      return text(stringOf(own(block, 'text')));
    case 'image':
      return image(mimeType, own(block, 'data'));
    case 'audio':
      // No output of a tool can hold audio, and a provider that refuses it would end the run.
      return text(`[Audio (${mimeType}) that cannot be shown]`);
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

/** A resource that the server has put into the result. */
function resourcePart(resource: unknown): OutputPart {
  if (!isRecord(resource)) return text('');
  const written = own(resource, 'text');
  if (typeof written === 'string') return text(written);
  const mimeType = stringOf(own(resource, 'mimeType')) || 'application/octet-stream';
  const blob = own(resource, 'blob');
  if (mimeType.startsWith('image/')) return image(mimeType, blob);
  const filename = stringOf(own(resource, 'uri')).split('/').at(-1) ?? '';
  return {
    type: 'input_file',
    file_data: dataUrl(mimeType, blob),
    ...(filename !== '' && { filename }),
  };
}

const text = (given: string): InputText => ({ type: 'input_text', text: given });

const image = (mimeType: string, data: unknown): InputImage => ({
  type: 'input_image',
  image_url: dataUrl(mimeType, data),
});

const dataUrl = (mimeType: string, data: unknown): string => `data:${mimeType};base64,${stringOf(data)}`;
