// Serves the built app from 127.0.0.1, its settings written into the page as a backend would do it.
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is served: this app, or another build of it. */
const folder = process.env.CHAT_APP ?? fileURLToPath(new URL('../dist/browser', import.meta.url));

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

// Angular puts the styles of components into the page, which is what 'unsafe-inline' is for; there are no
// scripts but files of this origin, and no text becomes HTML except through Angular and DOMPurify.
const policy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  'connect-src http://127.0.0.1:*',
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types angular dompurify',
].join('; ');

/** @param handle - asked first; returns whether it answers a request itself */
export async function startStaticServer({ port = 0, handle = () => false } = {}) {
  const page = await readFile(join(folder, 'index.html'), 'utf8').catch(() => {
    throw new Error('The app is not built: npm run build.');
  });
  const server = createServer((request, response) => {
    if (handle(request, response)) return;
    answer(request, response).catch(() => response.writeHead(404).end());
  });

  async function answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    response.setHeader('content-security-policy', policy);
    response.setHeader('cache-control', 'no-store');
    if (pathname === '/') {
      response.writeHead(200, { 'content-type': types['.html'] });
      response.end(withSettings(page, searchParams));
      return;
    }
    const file = join(folder, normalize(pathname));
    const { size } = await stat(file);
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/plain', 'content-length': size });
    createReadStream(file).pipe(response);
  }

  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    /** The address of the app, with settings: what the `<meta>` elements of index.html hold. */
    address: (settings = {}) =>
      `http://127.0.0.1:${server.address().port}/?${new URLSearchParams(settings).toString()}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** Tests choose their settings by the query; a real server would not let the address do that. */
function withSettings(page, settings) {
  let html = page;
  for (const [name, value] of settings) {
    // What the page has, and nothing that could be more than a name.
    if (!/^[\w-]+$/.test(name)) continue;
    const content = value.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    const element = `<meta name="${name}" content="${content}">`;
    html = html.replace(new RegExp(`<meta name="${name}"[^>]*>`), '').replace('</head>', `${element}</head>`);
  }
  return html;
}
