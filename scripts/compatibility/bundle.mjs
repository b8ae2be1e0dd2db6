// Bundles a file for browsers with the bundler that is named first, with its defaults: `esbuild turn.js out.js`.
// Runs inside a project that has the bundlers. A warning is an error.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

const [bundler, input, output] = process.argv.slice(2);
const refuse = (warning) => {
  throw new Error(typeof warning === 'string' ? warning : JSON.stringify(warning));
};

const bundlers = {
  async esbuild() {
    const { build } = await import('esbuild');
    const { warnings } = await build({
      entryPoints: [input],
      outfile: output,
      bundle: true,
      minify: true,
      platform: 'browser',
      format: 'iife',
    });
    warnings.forEach(refuse);
  },

  async vite() {
    const { build } = await import('vite');
    await build({
      configFile: false,
      logLevel: 'warn',
      build: {
        outDir: dirname(resolve(output)),
        // A page's own format is a module; this one runs wherever a script does.
        lib: { entry: input, formats: ['iife'], name: 'page', fileName: () => basename(output) },
        rollupOptions: { onwarn: refuse },
      },
    });
  },

  async webpack() {
    const { default: webpack } = await import('webpack');
    const compiler = webpack({
      mode: 'production',
      target: 'web',
      entry: resolve(input),
      output: { path: dirname(resolve(output)), filename: basename(output), publicPath: '/' },
      // Angular's compiler is larger than what webpack advises.
      performance: false,
    });
    await new Promise((done, fail) => {
      compiler.run((error, stats) => {
        if (error) fail(error);
        else if (stats.hasErrors() || stats.hasWarnings())
          fail(new Error(stats.toString({ all: false, errors: true, warnings: true })));
        else done();
      });
    });
  },

  async rollup() {
    const { rollup } = await import('rollup');
    const { nodeResolve } = await import('@rollup/plugin-node-resolve');
    const { transform } = await import('esbuild');
    const bundle = await rollup({ input, plugins: [nodeResolve({ browser: true })], onwarn: refuse });
    // One script: what is imported later stands in it too.
    await bundle.write({ file: output, format: 'iife', inlineDynamicImports: true });
    // It has no minifier of its own.
    writeFileSync(output, (await transform(readFileSync(output, 'utf8'), { minify: true })).code);
  },
};

await bundlers[bundler]();
