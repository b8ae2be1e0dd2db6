import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRecord, own } from '../turn/wire.js';

/**
 * The version in the package.json above a file: the bin may be reached through a symlink, and is at different depths
 * in the sources and in each build.
 */
export function packageVersion(file: string): string | undefined {
  let directory: string;
  try {
    directory = dirname(realpathSync(file));
  } catch {
    return undefined;
  }
  for (;;) {
    const version = versionIn(directory);
    if (version !== undefined) return version;
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
}

function versionIn(directory: string): string | undefined {
  try {
    const json: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    if (!isRecord(json) || own(json, 'name') !== 'rxjs-chat-completions') return undefined;
    const version = own(json, 'version');
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
