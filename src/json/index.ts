export { jsonElements } from './json-elements.js';
export { jsonFormat } from './json-format.js';
export { OutputError, type OutputErrorCode } from './output-error.js';
export { type DeepPartial, partialJson } from './partial-json.js';
export { reask } from './reask.js';
export { toJson } from './to-json.js';
