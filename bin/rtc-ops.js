#!/usr/bin/env node
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`rtc-ops needs Node.js 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exit(4);
}
const cli = new URL('../dist/bundle/cli.js', import.meta.url);
if (!existsSync(cli)) {
  process.stderr.write('rtc-ops is not built yet. In its source folder run: npm ci && npm run build\n');
  process.exit(4);
}
const { main } = await import(cli.href);
await main(process.argv);
