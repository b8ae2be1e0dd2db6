// Heads what is unreleased in CHANGELOG.md with the version that `changeset version` has set in package.json.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../CHANGELOG.md', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const text = readFileSync(file, 'utf8');
const [heading] = /^## Unreleased$/m.exec(text) ?? [];
if (heading === undefined) throw new Error('CHANGELOG.md has no heading "## Unreleased".');
if (text.includes(`\n## ${version}`)) throw new Error(`CHANGELOG.md has a heading for ${version} already.`);
writeFileSync(file, text.replace(heading, `## Unreleased\n\n## ${version}`));
