import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const inPackage = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file);

/** By path: which of the two npm links as `tsc` is chance. */
export const typescript7 = inPackage('@typescript/compiler', 'bin/tsc');
export const typescript6 = inPackage('typescript', 'bin/tsc6');
