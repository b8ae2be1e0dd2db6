/**
 * The answers that the server gives and every candidate's result is compared with: the same for the
 * same number of chunks. Text, sizes and fields follow streams recorded from providers.
 */
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

/** How a provider writes one chunk of text. */
const dialects = {
  // OpenAI varies a field at the end of each chunk, so no two are alike.
  openai: (text, index) =>
    `{"id":"chatcmpl-Cq3v8ZtLb0Yw6hXeRkNn2sJd5uGfA","object":"chat.completion.chunk","created":1764373492,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_50906f2aac","choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"${obfuscation(index, text.length)}"}`,
  // Most others: chunks of one answer differ in the text alone.
  plain: (text) =>
    `{"id":"d1f3c2a0-6b61-4c8e-9f2e-0a4f5f7f9b11","object":"chat.completion.chunk","created":1764634320,"model":"deepseek-chat","system_fingerprint":"fp_ffc7281d48_prod0820_fp8_kvcache","choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}},"logprobs":null,"finish_reason":null}],"usage":null,"service_tier":null}`,
};

function obfuscation(index, textLength) {
  return ((index + 1) * 2_654_435_761)
    .toString(36)
    .repeat(2)
    .slice(0, 14 - Math.min(12, textLength));
}

export function* textsOf(chunks) {
  for (let index = 0; index < chunks; index += 1) yield words[index % words.length];
}

/** The whole text of an answer. */
export function answerText(chunks) {
  return [...textsOf(chunks)].join('');
}

/** The events of an answer up to, and without, `[DONE]`. */
export function* eventsOf(chunks, dialect) {
  const write = dialects[dialect];
  let index = 0;
  for (const text of textsOf(chunks)) {
    yield `data: ${write(text, index)}\n\n`;
    index += 1;
  }
}

export const done = 'data: [DONE]\n\n';
