import type { SourceFacts } from '../../model/call-recording.ts';
import { field, member } from './event-value.ts';

/** The browser, by `navigator.userAgent` and `userAgentData` where they were recorded. */
export function writerOf(userAgent: unknown, userAgentData: unknown): Pick<SourceFacts, 'writer' | 'engine'> {
  const brands: unknown = member(userAgentData, 'brands') ?? userAgentData;
  if (Array.isArray(brands)) {
    const named = brands.find((each) => !/Not.?A|^$/i.test(field(each, 'brand') ?? ''));
    const [brand, version] = [member(named, 'brand'), member(named, 'version')];
    if (typeof brand === 'string')
      return { writer: `${brand} ${majorOf(version)}`.trim(), engine: 'chromium' };
  }
  const text = typeof userAgent === 'string' ? userAgent : '';
  for (const [pattern, name, engine] of patterns) {
    const version = pattern.exec(text)?.[1];
    if (version !== undefined) return { writer: `${name} ${version}`, engine };
  }
  return { writer: null, engine: null };
}

// In this order: each but Firefox also names those that it descends from.
const patterns = [
  [/Firefox\/(\d+)/, 'Firefox', 'firefox'],
  [/Edg\/(\d+)/, 'Edge', 'chromium'],
  [/(?:Headless)?Chrome\/(\d+)/, 'Chrome', 'chromium'],
  [/Version\/(\d+)[.\d]* (?:Mobile\/\S+ )?Safari\//, 'Safari', 'safari'],
] as const;

function majorOf(version: unknown): string {
  return typeof version === 'string' ? (version.split('.')[0] ?? '') : '';
}
