/**
 * The answers that the server gives and every candidate's result is compared with: the same for the
 * same number of chunks. Text, sizes and fields follow streams recorded from providers.
 */
import { createHash } from 'node:crypto';

const words = [
  'The',
  ' sky',
  ' looks',
  ' blue',
  ' because',
  ' of',
  ' a',
  ' process',
  ' called',
  ' "',
  'Ray',
  'leigh',
  ' scattering',
  '".',
  '\n\n',
  '##',
  ' What',
  ' happens',
  '\n\n',
  '-',
  ' Sun',
  'light',
  ' is',
  ' made',
  ' up',
  ' of',
  ' many',
  ' colors',
  ',',
  ' each',
  ' with',
  ' its',
  ' own',
  ' wavelength',
  '.',
  '\n',
  '-',
  ' Short',
  ' waves',
  ' scatter',
  ' more',
  ' than',
  ' long',
  ' ones',
  ';',
  ' about',
  ' ',
  '10',
  ' times',
  '.',
  '\n\n',
  '```',
  'js',
  '\n',
  'const',
  ' ratio',
  ' =',
  ' (',
  '700',
  ' /',
  ' 400',
  ')',
  ' **',
  ' 4',
  ';',
  '\n',
  '```',
];

const delta = (fields, finishReason = 'null') =>
  `"choices":[{"index":0,"delta":{${fields}},"logprobs":null,"finish_reason":${finishReason}}]`;

function obfuscation(index, textLength) {
  return ((index + 1) * 2_654_435_761)
    .toString(36)
    .repeat(2)
    .slice(0, 14 - Math.min(12, textLength));
}

const openai = (choices, padding) =>
  `{"id":"chatcmpl-Cq3v8ZtLb0Yw6hXeRkNn2sJd5uGfA","object":"chat.completion.chunk","created":1764373492,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_50906f2aac",${choices},"usage":null,"obfuscation":"${padding}"}`;

const plain = (choices) =>
  `{"id":"d1f3c2a0-6b61-4c8e-9f2e-0a4f5f7f9b11","object":"chat.completion.chunk","created":1764634320,"model":"deepseek-chat","system_fingerprint":"fp_ffc7281d48_prod0820_fp8_kvcache",${choices},"usage":null,"service_tier":null}`;

/** The data of the events with which an answer begins and ends, and of one with a piece of its text. */
const dialects = {
  // OpenAI varies a field at the end of each chunk, so no two are alike.
  openai: {
    opening: [openai(delta('"role":"assistant","content":"","refusal":null'), 'aBcDeFgH')],
    text: (text, index) =>
      openai(delta(`"content":${JSON.stringify(text)}`), obfuscation(index, text.length)),
    closing: [openai(delta('', '"stop"'), 'aBcDe'), '[DONE]'],
  },
  // Most others: chunks of one answer differ in the text alone.
  plain: {
    opening: [plain(delta('"role":"assistant","content":""'))],
    text: (text) => plain(delta(`"content":${JSON.stringify(text)}`)),
    closing: [plain(delta('"content":""', '"stop"')), '[DONE]'],
  },
  // The same text in a protocol of its own, for the client that speaks no other.
  'ag-ui': {
    opening: [
      '{"type":"RUN_STARTED","threadId":"thread-1","runId":"run-1"}',
      '{"type":"TEXT_MESSAGE_START","messageId":"d1f3c2a0-6b61-4c8e-9f2e-0a4f5f7f9b11","role":"assistant"}',
    ],
    text: (text) =>
      `{"type":"TEXT_MESSAGE_CONTENT","messageId":"d1f3c2a0-6b61-4c8e-9f2e-0a4f5f7f9b11","delta":${JSON.stringify(text)}}`,
    closing: [
      '{"type":"TEXT_MESSAGE_END","messageId":"d1f3c2a0-6b61-4c8e-9f2e-0a4f5f7f9b11"}',
      '{"type":"RUN_FINISHED","threadId":"thread-1","runId":"run-1"}',
    ],
  },
};

const written = (data) => data.map((each) => `data: ${each}\n\n`).join('');

export const opening = (dialect) => written(dialects[dialect].opening);
export const closing = (dialect) => written(dialects[dialect].closing);

/** One event with a piece of the text. */
export const eventOf = (text, index, dialect) => `data: ${dialects[dialect].text(text, index)}\n\n`;

function* textsOf(chunks) {
  for (let index = 0; index < chunks; index += 1) yield words[index % words.length];
}

/** The whole text of an answer. */
export function answerText(chunks) {
  return [...textsOf(chunks)].join('');
}

/** The events of an answer, between its opening and its closing. */
export function* eventsOf(chunks, dialect) {
  let index = 0;
  for (const text of textsOf(chunks)) {
    yield eventOf(text, index, dialect);
    index += 1;
  }
}

const blockSize = 64 * 1024;
/** After so many chunks the text begins anew. */
const period = words.length * 1_500;
const blocks = new Map();

/** An answer as blocks of about 64 KiB, written once and in memory once, however long it is. */
export function* blocksOf(chunks, dialect) {
  for (let rest = chunks; rest > 0; rest -= period) yield* cachedBlocks(Math.min(rest, period), dialect);
}

function cachedBlocks(chunks, dialect) {
  const name = `${chunks} ${dialect}`;
  if (!blocks.has(name)) {
    const full = [];
    let block = '';
    for (const event of eventsOf(chunks, dialect)) {
      block += event;
      if (block.length >= blockSize) {
        full.push(Buffer.from(block));
        block = '';
      }
    }
    blocks.set(name, [...full, Buffer.from(block)]);
  }
  return blocks.get(name);
}

/** The clock of the machine, in µs: the same in all of its processes. */
export const now = () => Number(process.hrtime.bigint() / 1_000n);

const stampWidth = 17;

/** A piece of text that tells when it was sent. */
export const stamp = () => ` ${String(now()).padStart(stampWidth - 1, '0')}`;

/** The µs since each stamp in a piece of text was sent. */
export function* agesOf(text, received = now()) {
  for (let at = 0; text[at] === ' '; at += stampWidth)
    yield received - Number(text.slice(at + 1, at + stampWidth));
}

/** The last piece of a text that nobody knows in advance: what it is checked with. */
export const seal = (text) => `#${createHash('sha256').update(text).digest('hex')}`;

/** Whether a text of so many stamps came as it was sent. */
export function isSealed(text, stamps) {
  const body = text.slice(0, stamps * stampWidth);
  return text === body + seal(body);
}
