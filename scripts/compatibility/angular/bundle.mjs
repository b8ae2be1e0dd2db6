// Bundles a program as for a browser: `node bundle.mjs PROGRAM OUTPUT`. A warning is an error.
import { build } from 'esbuild';

const [, , program, output] = process.argv;
const { warnings } = await build({
  entryPoints: [program],
  outfile: output,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  logLevel: 'warning',
});
if (warnings.length > 0) process.exitCode = 1;
