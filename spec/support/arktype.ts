import type * as Arktype from 'arktype' with { 'resolution-mode': 'import' };

// arktype has no CommonJS, which is what the specs run as: Jest transforms it, and TypeScript cannot know.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const arktype = require('arktype') as typeof Arktype;

export const { type } = arktype;
